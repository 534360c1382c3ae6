"""An ordinary table becomes the first window of a partitioned one of its name: nothing is copied.

First a CHECK NOT VALID says which rows the window may hold, then VALIDATE reads them beside readers and writers. The
swap is one short transaction: the table is renamed, a partitioned one takes its name and what hangs on it, and the old
one is attached, which the CHECK proves without reading. At last foreign keys to it are validated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

import psycopg
from psycopg.sql import Identifier, Literal

from provision.errors import RefusedError
from provision.model.partitions import PartitionSet
from provision.model.schema import IN_COMMENT
from provision.partitions.calendar import first_names, shifted, start_of
from provision.ports.partitions import Say
from provision.stores.postgres import own_tables
from provision.stores.postgres.migrate.patience import Limits, milliseconds
from provision.stores.postgres.partitions import carry
from provision.stores.postgres.partitions.hindrances import hindrances
from provision.stores.postgres.partitions.locks import alone, gently, patiently
from provision.stores.postgres.partitions.make import refused
from provision.stores.postgres.server import Connection

CHECK = "provision_convert"
_TABLE = f"""
create schema if not exists provision;
create table if not exists provision.partition_convert (
    id bigint generated always as identity primary key, project text not null, store text not null,
    "table" text not null, relation oid not null, name text not null, high timestamptz not null, actor text not null,
    begun_at timestamptz not null default now(), done_at timestamptz, undone_at timestamptz
);
comment on table provision.partition_convert is
    'Ordinary tables that became partitioned, by provision{IN_COMMENT}';
"""
_LATEST = """
select p.id, p.relation, p.name, p.high, p.undone_at is not null, format('%%I.%%I', n.nspname, c.relname)
from provision.partition_convert p join pg_class c on c.oid = p.relation join pg_namespace n on n.oid = c.relnamespace
where p.project = %s and p.store = %s and p."table" = %s
    and (c.relname = p.name or format('%%I.%%I', n.nspname, c.relname) = p."table") order by p.id desc limit 1
"""
_STANDING = """
select format('%%I.%%I', n.nspname, c.relname), quote_ident(n.nspname), c.relname, c.relkind::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = to_regclass(%s)
"""
_CHECKED = "select convalidated from pg_constraint where conrelid = %s::regclass and conname = 'provision_convert'"
_INDEXES = """
select quote_ident(n.nspname), c.relname, p.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
join pg_class p on p.oid = i.inhparent join pg_namespace n on n.oid = c.relnamespace
join pg_index x on x.indexrelid = c.oid where x.indrelid = to_regclass(%s)
"""
_UNVALIDATED = """
select conrelid::regclass::text, quote_ident(conname) from pg_constraint
where confrelid = %s::regclass and contype = 'f' and conparentid = 0 and not convalidated
"""
_OTHERS = """
select inhrelid::regclass::text from pg_inherits where inhparent = %s::regclass and inhrelid <> %s
"""


class Conversion(NamedTuple):
    """One that began: `relation` becomes the window `name`, up to `high`; `place` is where it is now."""

    id: int
    relation: int
    name: str
    high: datetime
    undone: bool
    place: str


class TableConverter:
    """Converts one table, and back, by a session of its own. `key` is of project and store."""

    def __init__(self, connection: Connection, wanted: PartitionSet, limits: Limits, key: tuple[str, str]) -> None:
        self._connection, self._wanted, self._limits, self._key = connection, wanted, limits, key
        rows = connection.execute(_STANDING, (wanted.table,)).fetchall()
        if not rows:
            raise self._refused(f"there is no table {wanted.table}", "correct the name in its document")
        [(self.place, self._schema, self._table, self.kind)] = rows
        self._column = Identifier(wanted.column).as_string(connection)
        # So that the server qualifies every name, and has planned before what it is asked again under the lock.
        connection.execute("set search_path to ''; set plan_cache_mode to force_generic_plan")
        connection.prepare_threshold = 5

    def convert(self, now: datetime, until: datetime | None, actor: str, say: Say) -> str:
        """Go on from wherever an earlier run was; the name of the first window, empty where there is nothing to do.

        `until`: up to when the first window takes rows; by default to the end of the window after the newest row's.
        Raises RefusedError (convert-refused), FailedError (window-refused, window-in-the-way).
        """
        begun = self._latest()
        try:
            if self.kind != "p":
                if found := hindrances(self._connection, self._wanted, self.place):
                    what = f"{self.place} cannot be converted: {'; '.join(found)}"
                    raise self._refused(what, "change that first; nothing was done")
                begun = self._begin(begun, now, until, actor, say)
                self._validate(say)
                self._swap(begun, say)
                say(f"{self.place} is partitioned; its rows are the window {begun.name}")
            elif begun is None or begun.undone:
                return ""
            return begun.name if self._validated(say) or self.kind != "p" else ""
        except psycopg.Error as error:
            raise refused(error, f"converting {self.place}", self.place) from None

    def turn_back(self, say: Say) -> str:
        """Make it the ordinary table again that it was; the name of the window that held its rows.

        Raises RefusedError (convert-refused) where rows are in other windows; else as `convert`.
        """
        begun = self._latest()
        if begun is None or (begun.undone and self.kind == "p"):
            raise self._refused(f"{self.place} was not converted by provision", "nothing was done")
        try:
            if self.kind == "p":
                self._swap_back(begun, say)
            elif not begun.undone:
                self._gently([*self._unchecked(), _undone(begun)], say)
            return begun.name if self._validated(say) or not begun.undone else ""
        except psycopg.Error as error:
            raise refused(error, f"turning {self.place} back", self.place) from None

    def hindrances(self) -> list[str]:
        """Why it cannot be converted, each in a sentence."""
        return hindrances(self._connection, self._wanted, self.place)

    def _latest(self) -> Conversion | None:
        try:
            rows = self._connection.execute(_LATEST, (*self._key, self.place)).fetchall()
        except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName, psycopg.errors.InsufficientPrivilege):
            return None
        return Conversion(*rows[0]) if rows else None

    def _begin(
        self, begun: Conversion | None, now: datetime, until: datetime | None, actor: str, say: Say
    ) -> Conversion:
        """The row that says so and the CHECK are of one transaction; what an earlier run left is gone on with."""
        there = self._connection.execute(_CHECKED, (self.place,)).fetchone()
        if begun is not None and not begun.undone and there is not None and until in (None, begun.high):
            return begun
        own_tables.make(self._connection, "partition_convert", _TABLE)
        high = until or self._until(now)
        values = [*self._key, self.place, self.place, self._window_name(high), str(high), actor]
        row = ", ".join(Literal(each).as_string(self._connection) for each in values)
        ended = [_undone(begun)] if begun is not None else []
        inside = f"{self._column} is not null and {self._column} < {self._literal(high)}"
        self._gently(
            [
                *self._unchecked(),
                f"alter table {self.place} add constraint {CHECK} check ({inside}) not valid",
                *ended,
                'insert into provision.partition_convert (project, store, "table", relation, name, high, actor)'
                f" select a, b, c, d::regclass, e, f::timestamptz, g from (values ({row})) v (a, b, c, d, e, f, g)",
            ],
            say,
        )
        made = self._latest()
        assert made is not None
        return made

    def _until(self, now: datetime) -> datetime:
        newest = f"select max({self._column}) filter (where isfinite({self._column}))::timestamptz from {self.place}"
        [(found,)] = self._connection.execute(newest.encode()).fetchall()
        latest = max(now, found) if found is not None else now
        return shifted(start_of(latest, self._wanted.interval), self._wanted.interval, 2)

    def _window_name(self, high: datetime) -> str:
        """Sorts before those of the windows that follow; free."""
        for name in first_names(self._table, high):
            place = f"{self._schema}.{self._quoted(name)}"
            if self._connection.execute("select to_regclass(%s)", (place,)).fetchone() == (None,):
                return name
        raise self._refused(f"a table called {name} is there already", "rename it, or drop it")

    def _validate(self, say: Say) -> None:
        """Where a row lies outside, the CHECK goes again: it would refuse more of them."""
        if self._connection.execute(_CHECKED, (self.place,)).fetchone() == (True,):
            return
        say(f"reading the rows of {self.place}, beside readers and writers")
        try:
            self._gently([f"alter table {self.place} validate constraint {CHECK}"], say)
        except psycopg.errors.CheckViolation:
            self._gently(self._unchecked(), say)
            what = f"{self.place} holds rows without {self._wanted.column}, or later than its first window"
            raise self._refused(what, "correct those rows, or name a later day: --until DATE") from None

    def _swap(self, begun: Conversion, say: Say) -> None:
        old, new = (f"{self._schema}.{self._quoted(each)}" for each in (begun.name, self._suffixed(begun.id)))

        known: list[list[str]] = []

        def prepare() -> None:
            [early] = carry.statements(self._connection, [carry.EARLY], self.place, new)
            like = f"like {self.place} including all excluding identity"
            self._say(
                f"create table {new} ({like}) partition by range ({self._column})",
                f"alter table {new} drop constraint {CHECK}",
                *early,
                f"update provision.partition_convert set done_at = now() where id = {begun.id}",
            )
            known[:] = self._of(carry.TAKEN, carry.BEFORE, carry.COPIED, carry.AFTER)
            self._of(*carry.MOVING)  # planned and read once, which takes the server three times as long as again
            self._attached(old)

        def swap() -> None:
            taken, before, copied, after = known
            identity, grants, views = self._of(*carry.MOVING)
            bounds = f"from (minvalue) to ({self._literal(begun.high)})"
            self._say(
                *taken,
                f"alter table {self.place} rename to {self._quoted(begun.name)}",
                f"alter table {new} rename to {self._quoted(self._table)}",
                *identity,
                *before,
                *copied,
                *grants,
                f"alter table {self.place} attach partition {old} for values {bounds}",
                f"alter table {old} drop constraint {CHECK}",
            )
            self._say(*self._renamed(old, begun.id), *after, *views)

        self._at_once(swap, say, prepare)

    def _swap_back(self, begun: Conversion, say: Say) -> None:
        gone = f"{self._schema}.{self._quoted(f'provision_gone_{begun.id}')}"

        def swap() -> None:
            self._only_in(begun)
            names = self._attached(begun.place)
            taken, before, after = self._of(carry.TAKEN, carry.BEFORE, carry.AFTER)
            identity, _, views = self._of(*carry.MOVING)
            self._say(
                *taken,
                f"alter table {self.place} detach partition {begun.place}",
                f"alter table {self.place} rename to {gone.rpartition('.')[2]}",
                f"alter table {begun.place} rename to {self._quoted(self._table)}",
                *identity,
                *before,
                *after,
                *views,
                f"drop table {gone}",
                *(
                    f"alter index {schema}.{self._quoted(mine)} rename to {self._quoted(was)}"
                    for schema, mine, was in names
                ),
                _undone(begun),
            )

        self._at_once(swap, say)

    def _only_in(self, begun: Conversion) -> None:
        """Under the lock. Raises RefusedError where another window holds a row."""
        for (name,) in self._connection.execute(_OTHERS, (self.place, begun.relation)).fetchall():
            if self._connection.execute(f"select from {name} limit 1".encode()).fetchone() is not None:
                what = f"{self.place} cannot be turned back: rows are in {name} already"
                raise self._refused(what, "leave it partitioned; nothing was done")

    def _renamed(self, old: str, number: int) -> list[str]:
        """Indexes keep their names: those of the old table give them to the new one's."""
        found = self._attached(old)
        kept = [
            f"alter index {schema}.{self._quoted(mine)} rename to {self._quoted(f'{mine[:40]}_c{number}')}"
            for schema, mine, _ in found
        ]
        return [
            *kept,
            *(
                f"alter index {schema}.{self._quoted(new)} rename to {self._quoted(mine)}"
                for schema, mine, new in found
            ),
        ]

    def _attached(self, place: str) -> list[tuple[str, str, str]]:
        """Of each index of a window: its schema, its name, and that of the table's index that it is part of."""
        return self._connection.execute(_INDEXES, (place,), prepare=True).fetchall()

    def _at_once(self, swap: Callable[[], None], say: Say, prepare: Callable[[], None] | None = None) -> None:
        """One transaction under a lock of the table, in short attempts.

        `prepare` runs before, under a lock that stops whoever would change the table, and neither readers nor writers.
        """

        def once(wait: float) -> str:
            with self._connection.transaction():
                limit = f"set local lock_timeout = '{milliseconds(wait)}'"
                if prepare is not None:
                    self._say(limit, f"lock table only {self.place} in share update exclusive mode")
                    prepare()
                self._say(limit, alone(self.place))
                swap()
            return ""

        patiently(self._connection, self._limits, once, f"swapping {self.place}", say)

    def _validated(self, say: Say) -> bool:
        """The foreign keys that name the table: made NOT VALID under the lock, read now. Whether there was one."""
        found = self._connection.execute(_UNVALIDATED, (self.place,)).fetchall()
        for table, name in found:
            self._gently([f"alter table {table} validate constraint {name}"], say)
        return bool(found)

    def _of(self, *parts: Sequence[str]) -> list[list[str]]:
        return carry.statements(self._connection, parts, self.place)

    def _suffixed(self, number: int) -> str:
        """The other table's name until it has that of the table: what the server calls after it begins with it."""
        return f"{self._table[:40]}_c{number}"

    def _unchecked(self) -> list[str]:
        """Those that lock the table and drop its CHECK, where it has one: with them a transaction begins."""
        return [alone(self.place), f"alter table {self.place} drop constraint if exists {CHECK}"]

    def _gently(self, statements: Sequence[str], say: Say) -> None:
        gently(self._connection, self._limits, statements, f"converting {self.place}", say)

    def _say(self, *statements: str) -> None:
        """In one round trip: everybody waits while the lock is held."""
        self._connection.execute("; ".join(statements).encode())

    def _quoted(self, name: str) -> str:
        return Identifier(name).as_string(self._connection)

    def _literal(self, value: object) -> str:
        return Literal(str(value)).as_string(self._connection)

    def _refused(self, what: str, fix: str) -> RefusedError:
        return RefusedError("convert-refused", what, where=self._wanted.shown, fix=fix)


def _undone(begun: Conversion) -> str:
    return f"update provision.partition_convert set undone_at = now() where id = {begun.id}"
