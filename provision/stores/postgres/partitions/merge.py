"""Merges windows into a coarser one: copied beside them while everybody works, swapped in under one short lock.

First come the new table and triggers that note the moments whose rows change; then each part is copied in a transaction
of its own; then what changed meanwhile is copied again, moment by moment, so that no key is needed. At last writers are
held, the rest is copied, and one transaction detaches and drops the parts and attaches the new table: a reader sees
either. It waits until no snapshot is older than the copies: one that is would find them empty.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.sql import Identifier, Literal

from provision.errors import FailedError
from provision.model.partitions import Bounds, TableWindows, Window
from provision.partitions.calendar import window_name
from provision.ports.partitions import Say
from provision.stores.postgres.migrate.patience import milliseconds
from provision.stores.postgres.partitions.locks import patiently
from provision.stores.postgres.partitions.make import LIKE, WindowMaker, refused
from provision.stores.postgres.partitions.merge_log import Merge, MergeLog, unwatched, watching
from provision.stores.postgres.server import Connection

AT_ONCE = 1_000  # noted changes that are copied again in one transaction
HELD = 200  # noted changes that may be left for the time in which writers wait
QUIETLY = 5  # swaps that are tried without copying under the lock, in one attempt
ROUNDS = 50  # of copying what changed, before an attempt is given up
TICK = 0.005  # seconds between two looks for older snapshots
_OIDS = "select array_agg(part::regclass::oid order by part::regclass::oid) from unnest(%s::text[]) as part"
_TYPE = "select format_type(atttypid, atttypmod) from pg_attribute where attrelid = %s::regclass and attname = %s"
_KEYS = """
select quote_ident(conname), pg_get_constraintdef(oid), convalidated from pg_constraint
where conrelid = %s::regclass and contype = 'f' order by conname
"""
_HINDERED = """
select format('rows of %%s name rows of it by a foreign key', conrelid::regclass) from pg_constraint
where confrelid = %(table)s::regclass and contype = 'f'
union all select format('%%s is partitioned itself', oid::regclass) from pg_class
where oid = any(%(parts)s::oid[]) and relkind <> 'r' limit 1
"""
# Whose statements look at the database as it was before a transaction ended. A statement that waits for our locks did
# not begin to look, and looks anew afterwards: but not in the transaction of an earlier one, nor where isolation is
# another than usual. A session that others may not look into counts while it is in a transaction and waits for no lock.
_OLDER = """
select count(*) from pg_stat_activity a
where a.datname = current_database() and a.pid <> all(%s)
    and a.backend_type is distinct from 'autovacuum worker' and (
    age(a.backend_xmin) >= age(%s::text::xid) and not (
        a.xact_start = a.query_start and a.query ~* '^\\s*(insert|update|delete|merge|with|copy)\\M'
        and exists (select from pg_locks l where l.pid = a.pid and not l.granted
            and l.locktype = 'relation' and l.relation = any(%s::text[]::regclass[]))
        and current_setting('default_transaction_isolation') = 'read committed'
        and not exists (select from pg_db_role_setting where array_to_string(setconfig, ' ') ~ 'transaction_isolation'))
    or a.query = '<insufficient privilege>' and a.backend_xmin is null
    and exists (select from pg_locks l where l.pid = a.pid and l.locktype = 'virtualxid' and l.granted)
    and not exists (select from pg_locks l where l.pid = a.pid and not l.granted))
"""


class WindowMerger:
    """Merges windows of one table, by two sessions: `copying` copies while `connection` holds the writers."""

    def __init__(
        self, connection: Connection, copying: Connection, maker: WindowMaker, found: TableWindows, log: MergeLog
    ) -> None:
        self._connection, self._copying, self._maker = connection, copying, maker
        self._found, self._log = found, log
        self._last = ""  # a transaction number: whoever sees it ended sees every copy

    def merge(self, bounds: Bounds, parts: Sequence[Window], actor: str, say: Say) -> str:
        """The name of the new window. As `Partitions.merge`, for one window."""
        [(oids,)] = self._asked(_OIDS, ([each.place for each in parts],))
        self._refuse(oids, bounds)
        merge = next((each for each in self._log.open(self._found) if each.bounds == bounds), None)
        if merge is not None and (set(merge.parts) != set(oids) or merge.place is None):
            self.give_up(merge, say)
            merge = None
        name = merge.name if merge else self._maker.free(bounds)[0]
        try:
            merge = merge or self._begin(bounds, parts, actor, say)
            self._copy(merge, parts, say)
            self._compared(merge, parts)
            self._say(f"analyze {merge.place}")
            self._last = self._now()
            return self._swapped(merge, parts, say)
        except psycopg.Error as error:
            raise refused(error, f"merging {name}", self._found.place) from None

    def give_up(self, merge: Merge, say: Say) -> None:
        """Take away what a merge made: the windows stay as they are."""
        dropped = [f"drop table if exists {merge.place}"] if merge.place else []
        ended = f"delete from provision.partition_merge where id = {merge.id}"
        self._maker.send([*unwatched(merge), *dropped, ended], f"giving up {merge.name}", say)

    def _refuse(self, oids: Sequence[int], bounds: Bounds) -> None:
        rows = self._connection.execute(_HINDERED, {"table": self._found.place, "parts": list(oids)}).fetchall()
        if rows:
            what = f"windows of {self._found.place} from {bounds.start:%Y-%m-%d} on are not merged: {rows[0][0]}"
            raise FailedError(
                "window-refused", what, where=self._found.place, fix="leave merge_after out of its document"
            )

    def _begin(self, bounds: Bounds, parts: Sequence[Window], actor: str, say: Say) -> Merge:
        """The new table, the row that says so, and the triggers, all in one transaction."""
        self._log.prepare()
        name, place = self._maker.free(bounds)
        [(type_,)] = self._asked(_TYPE, (self._found.place, self._maker.name))
        places = [each.place for each in parts]

        def once(wait: float) -> str:
            with self._connection.transaction():
                self._say(f"set local lock_timeout = '{milliseconds(wait)}'")
                self._say(f"create table {place} (like {self._found.place} {LIKE} including indexes)")
                column, inside = self._maker.column, self._maker.within(bounds)
                self._say(
                    f"alter table {place} add constraint provision_bounds check ({column} is not null and {inside})"
                )
                number = self._log.begun(self._found, name, place, bounds, parts, actor)
                self._say("; ".join(watching(number, column, type_, places)))
            return ""

        patiently(self._connection, self._maker.limits, once, f"merging {name}", say)
        return next(each for each in self._log.open(self._found) if each.bounds == bounds)

    def _copy(self, merge: Merge, parts: Sequence[Window], say: Say) -> None:
        """Each part that was not copied yet, then the foreign keys."""
        for each in parts:
            [(oid,)] = self._asked("select %s::regclass::oid", (each.place,))
            if oid not in merge.copied:
                say(f"copying {each.name} into {merge.name}")
                with self._copying.transaction():
                    self._copied(merge, [each], "true")
                    self._copying.execute(
                        "update provision.partition_merge set copied = copied || %s::oid where id = %s", (oid, merge.id)
                    )
        self._keyed(merge, say)

    def _copied(self, merge: Merge, parts: Sequence[Window], condition: str) -> None:
        columns = self._maker.columns
        for each in parts:
            self._copying.execute(
                f"insert into {merge.place} ({columns}) overriding system value"
                f" select {columns} from {each.place} where {condition}".encode()
            )

    def _keyed(self, merge: Merge, say: Say) -> None:
        """The table's foreign keys, before ATTACH makes them under its lock: NOT VALID, then VALIDATE holds nobody."""
        assert merge.place is not None
        there = {_bare(row[1]) for row in self._asked(_KEYS, (merge.place,))}
        what = f"merging {merge.name}"
        for name, definition, _ in self._asked(_KEYS, (self._found.place,)):
            if _bare(definition) not in there:
                added = f"alter table {merge.place} add constraint {name} {_bare(definition)} not valid"
                self._maker.send([added], what, say)
        for name, _, valid in self._asked(_KEYS, (merge.place,)):
            if not valid:
                self._maker.send([f"alter table {merge.place} validate constraint {name}"], what, say)

    def _caught_up(self, merge: Merge, parts: Sequence[Window]) -> int:
        """Copy the rows of some changed moments again; how many changes that were. Raises psycopg.Error."""
        noted = self._noted(merge)
        if not noted:
            return 0
        with self._copying.transaction():
            if any(at is None for _, at in noted):
                self._anew(merge, parts)
            else:
                [(type_,)] = self._asked(_TYPE, (self._found.place, self._maker.name))
                # Not as a parameter: a name in the statement may hold a percent sign.
                moments = Literal(sorted({at for _, at in noted})).as_string(self._copying)
                condition = f"{self._maker.column} = any({moments}::text[]::{type_}[])"
                self._copying.execute(f"delete from {merge.place} where {condition}".encode())
                self._copied(merge, parts, condition)
            ids = [number for number, _ in noted]
            self._copying.execute(f"delete from {merge.changes} where id = any(%s)".encode(), (ids,))
        self._last = self._now()
        return len(noted)

    def _noted(self, merge: Merge) -> Sequence[tuple[int, str | None]]:
        """Changes whose rows were not copied again yet; of a TRUNCATE without a moment."""
        text = f"select id, at::text from {merge.changes} order by id limit {AT_ONCE}"
        return self._copying.execute(text.encode()).fetchall()

    def _now(self) -> str:
        [(number,)] = self._copying.execute("select pg_current_xact_id()::xid::text").fetchall()
        return str(number)

    def _anew(self, merge: Merge, parts: Sequence[Window]) -> None:
        """A part was emptied by TRUNCATE: all of them are copied again."""
        self._copying.execute(f"truncate {merge.place}".encode())
        self._copied(merge, parts, "true")

    def _compared(self, merge: Merge, parts: Sequence[Window]) -> None:
        """Count and checksum of every row whose moment did not change since. Raises FailedError (window-refused)."""
        columns = self._maker.columns
        digest = f"count(*), coalesce(sum(hashtextextended(row({columns})::text, 0)), 0)"
        still = f"where not exists (select from {merge.changes} c where c.at is null or c.at = {self._maker.column})"
        before = " union all ".join(f"select {columns} from {each.place}" for each in parts)
        with self._copying.transaction():
            self._copying.execute("set transaction isolation level repeatable read")
            old = self._copying.execute(f"select {digest} from ({before}) p {still}".encode()).fetchone()
            new = self._copying.execute(f"select {digest} from {merge.place} p {still}".encode()).fetchone()
        if old != new:
            assert old is not None
            assert new is not None
            what = f"{merge.name} would hold {new[0]} rows and its parts hold {old[0]}, or their values differ"
            fix = f"DROP TABLE {merge.place}, and run the same command again: nothing was swapped"
            raise FailedError("window-refused", what, where=self._found.place, fix=fix)

    def _swapped(self, merge: Merge, parts: Sequence[Window], say: Say) -> str:
        nice = window_name(self._maker.table, merge.bounds)
        name = nice if nice in {each.name for each in parts} else merge.name

        def once(wait: float) -> str:
            # Whoever comes while rows are copied under the lock looks at them as they were before, and waits for us.
            if any(self._quietly(merge, parts, name, wait) for _ in range(QUIETLY)):
                return ""
            if all(self._caught_up(merge, parts) > HELD for _ in range(ROUNDS)):
                return "who writes into these windows faster than their rows are copied again"
            with self._locked(parts, wait):
                while self._caught_up(merge, parts):  # writers wait: only what they noted before
                    pass
                return self._swap(merge, parts, name, time.monotonic() + wait)

        patiently(self._connection, self._maker.limits, once, f"merging {name}", say)
        return name

    def _quietly(self, merge: Merge, parts: Sequence[Window], name: str, wait: float) -> bool:
        """Swap if nothing was noted between the last copy and the lock: whether it was done."""
        self._caught_up(merge, parts)
        with self._locked(parts, wait):
            return not self._noted(merge) and not self._swap(merge, parts, name, time.monotonic() + wait)

    @contextmanager
    def _locked(self, parts: Sequence[Window], wait: float) -> Iterator[None]:
        """A transaction in which nobody writes into table and parts; rolled back if the block leaves it open."""
        places = ", ".join(each.place for each in parts)
        try:
            self._say(f"begin; set local lock_timeout = '{milliseconds(wait)}'")
            self._say(f"lock table only {self._found.place}, {places} in share row exclusive mode")
            yield
        finally:
            if not self._connection.closed and self._connection.info.transaction_status:
                self._say("rollback")

    def _swap(self, merge: Merge, parts: Sequence[Window], name: str, until: float) -> str:
        """In the open transaction, and commit it; or who is in the way, empty for nobody."""
        mine = [self._connection.info.backend_pid, self._copying.info.backend_pid]
        asked = (mine, self._last, [self._found.place, *(each.place for each in parts)])
        while (older := self._copying.execute(_OLDER, asked).fetchall()) != [(0,)]:
            if time.monotonic() > until:
                return f"{older[0][0]} sessions look at the rows as they were before (pg_stat_activity.backend_xmin)"
            time.sleep(TICK)
        assert merge.place is not None
        renamed, ended = self._quoted(name), "update provision.partition_merge set done_at = now(), name = "
        statements = [
            *(f"alter table {self._found.place} detach partition {each.place}" for each in parts),
            *self._maker.attached(merge.place, merge.bounds),
            f"alter table {merge.place} drop constraint provision_bounds",
            *unwatched(merge),
            *(f"drop table {each.place}" for each in parts),
            *([f"alter table {merge.place} rename to {renamed}"] if name != merge.name else []),
            f"{ended}{Literal(name).as_string(self._connection)} where id = {merge.id}",
            "commit",
        ]
        self._say("; ".join(statements))
        return ""

    def _quoted(self, name: str) -> str:
        return Identifier(name).as_string(self._connection)

    def _say(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def _asked(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode(), values).fetchall()


def _bare(definition: object) -> str:
    return str(definition).removesuffix(" NOT VALID")
