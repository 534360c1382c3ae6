"""Makes a window and attaches it, with the rows that the default partition holds of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

import psycopg
from psycopg.sql import Identifier, Literal

from provision.errors import FailedError
from provision.model.partitions import Bounds, Sub, TableWindows
from provision.partitions.calendar import exact_name, window_name
from provision.ports.partitions import Say
from provision.stores.postgres.migrate.patience import Limits
from provision.stores.postgres.partitions.locks import gently
from provision.stores.postgres.partitions.parts import Divider
from provision.stores.postgres.server import Connection

TOGETHER = 20  # windows that one transaction makes, where nobody waits for it
AT_ONCE = 50_000  # rows that leave the default partition in one transaction
# Of the parent: what a partition must have. Indexes come with ATTACH; an identity stays the parent's.
LIKE = "including defaults including constraints including generated including storage including comments"
_HOME = """
select quote_ident(nspname), relname from pg_class c join pg_namespace n on n.oid = relnamespace
where c.oid = %s::regclass
"""
# Writers of a table that a foreign key names wait while a partition is attached: it is locked last, for that alone.
_REFERENCED = """
select distinct confrelid::regclass::text from pg_constraint
where conrelid = %s::regclass and contype = 'f' and confrelid <> conrelid order by 1
"""
_COLUMNS = """
select quote_ident(attname) from pg_attribute
where attrelid = %s::regclass and attnum > 0 and not attisdropped and attgenerated = '' order by attnum
"""


class WindowMaker:
    """Makes the windows of one table, partitioned by `column`, as `found` shows it."""

    def __init__(
        self, connection: Connection, column: str, found: TableWindows, limits: Limits, sub: Sub | None = None
    ) -> None:
        self._connection, self._found, self.limits = connection, found, limits
        self.name, self.column = column, Identifier(column).as_string(connection)
        [(self._schema, self.table)] = self._asked(_HOME)
        self._divider = Divider(connection, sub, found.place, self.table, self._schema) if sub is not None else None
        self.referenced = [row[0] for row in self._asked(_REFERENCED)]
        self.columns = ", ".join(row[0] for row in self._asked(_COLUMNS))

    def make(self, wanting: Sequence[Bounds], say: Say) -> Iterator[Sequence[str]]:
        """As `Makes.make`."""
        alone = self.referenced or self._found.default  # their writers wait for a transaction that makes windows
        together = max(TOGETHER // (1 + (self._divider.count if self._divider else 0)), 1)
        for batch in _batches(wanting, 1 if alone else together):
            try:
                yield self._together(batch, say) if len(batch) > 1 else self._alone(batch[0], say)
            except FailedError:
                if len(batch) == 1:
                    raise
                for each in batch:  # so that one that cannot be made is the only one
                    yield self._alone(each, say)

    def _together(self, batch: Sequence[Bounds], say: Say) -> Sequence[str]:
        """Several in one transaction. Attaching takes a lock that neither readers nor writers wait for."""
        free = [(bounds, *self.free(bounds)) for bounds in batch]
        statements = [each for bounds, name, place in free for each in self._statements(name, place, bounds)]
        names = [name for _, name, _ in free]
        self.send(statements, f"making {names[0]} … {names[-1]}", say)
        return names

    def _alone(self, bounds: Bounds, say: Say) -> Sequence[str]:
        return [self._make(each, say) for each in self._pieces(bounds)]

    def _statements(self, name: str, place: str, bounds: Bounds) -> list[str]:
        """Those that make a window and give it its place, with what of it lies in the default partition."""
        table = f"create table {place} (like {self._found.place} {LIKE})"
        moved = bool(self._found.default_rows)
        if self._divider is None:
            rows = self._moved(place, bounds) if moved else []
            return [table, *rows, *self.attached(place, bounds)]
        table, parts = f"{table}{self._divider.clause}", [*self._divider.statements(name, place)]
        if not self._divider.late:
            rows = self._moved(place, bounds) if moved else []
            return [table, *parts, *rows, *self.attached(place, bounds)]
        taken, put = self._set_aside(place, bounds) if moved else ([], [])
        return [table, *taken, *self.attached(place, bounds), *parts, *put]

    def _make(self, bounds: Bounds, say: Say) -> str:
        name, place = self.free(bounds)
        self.send(self._statements(name, place, bounds), f"making {name}", say)
        return name

    def _pieces(self, bounds: Bounds) -> Iterator[Bounds]:
        """The window in parts that each have no more rows in the default partition than one transaction may move."""
        start = bounds.start
        while self._found.default_rows > AT_ONCE:
            later = f"select {self.column} from {self._found.default} where {self.within(Bounds(start, bounds.end))}"
            row = self._connection.execute(f"{later} order by 1 offset {AT_ONCE} limit 1".encode()).fetchone()
            cut = _moment(row[0]) if row else None
            if cut is None or cut == start:  # so many rows of one moment stay together
                break
            yield Bounds(start, cut)
            start = cut
        yield Bounds(start, bounds.end)

    def _moved(self, place: str, bounds: Bounds) -> list[str]:
        """Rows of the window leave the default partition and are in the window in one transaction."""
        default, condition = self._found.default, self.within(bounds)
        return [
            f"lock table {default} in share row exclusive mode",
            f"insert into {place} ({self.columns}) overriding system value"
            f" select {self.columns} from {default} where {condition}",
            f"delete from {default} where {condition}",
        ]

    def _set_aside(self, place: str, bounds: Bounds) -> tuple[list[str], list[str]]:
        """As `_moved`, of a window that has no parts before it is attached: out of the default partition, and in."""
        default, condition = self._found.default, self.within(bounds)
        return [
            f"lock table {default} in share row exclusive mode",
            f"create temporary table provision_aside on commit drop as"
            f" select {self.columns} from {default} where {condition}",
            f"delete from {default} where {condition}",
        ], [
            f"insert into {place} ({self.columns}) overriding system value"
            f" select {self.columns} from pg_temp.provision_aside"
        ]

    def attached(self, place: str, bounds: Bounds) -> list[str]:
        """The statements that attach a table: what foreign keys name is locked last."""
        return [
            *(f"lock table {each} in share row exclusive mode" for each in self.referenced),
            f"alter table {self._found.place} attach partition {place} for values"
            f" from ({self._literal(bounds.start)}) to ({self._literal(bounds.end)})",
        ]

    def within(self, bounds: Bounds) -> str:
        """The condition that a row lies in the window."""
        return f"{self.column} >= {self._literal(bounds.start)} and {self.column} < {self._literal(bounds.end)}"

    def send(self, statements: Sequence[str], what: str, say: Say) -> None:
        """As one transaction. Raises FailedError (window-refused, window-in-the-way)."""
        try:
            gently(self._connection, self.limits, statements, what, say)
        except psycopg.Error as error:
            raise refused(error, what, self._found.place) from None

    def free(self, bounds: Bounds) -> tuple[str, str]:
        """A name for the window that no table has, and the same as the server reads it."""
        assert bounds.start is not None
        for name in (window_name(self.table, bounds), exact_name(self.table, bounds.start)):
            place = f"{self._schema}.{Identifier(name).as_string(self._connection)}"
            if self._connection.execute("select to_regclass(%s)", (place,)).fetchone() == (None,):
                return name, place
        what = f"a table called {name} is there already, and is no window of {self._found.place}"
        raise FailedError("window-refused", what, where=self._found.place, fix="rename it, or drop it")

    def _literal(self, value: object) -> str:
        return Literal(str(value)).as_string(self._connection)

    def _asked(self, query: str) -> list[tuple[str, ...]]:
        return self._connection.execute(query.encode(), (self._found.place,)).fetchall()


def refused(error: psycopg.Error, what: str, where: str) -> FailedError:
    """What the server says against it, with a way on."""
    fix = "correct what it says, and run the same command again"
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        fix = "run it as the owner of the table, or name that role in provision.toml: role"
    return FailedError("window-refused", f"{what} failed: {error.diag.message_primary or error}", where=where, fix=fix)


def _batches(wanting: Sequence[Bounds], size: int) -> Iterator[Sequence[Bounds]]:
    for start in range(0, len(wanting), size):
        yield wanting[start : start + size]


def _moment(value: object) -> datetime | None:
    return value if isinstance(value, datetime) else None
