"""What in PostgreSQL asks a backfill for patience: who waits for it, replicas, autovacuum, WAL, a user's query."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import psycopg

from provision.backfill import advice
from provision.errors import FailedError
from provision.model.backfills import Backfill, ServerSignal
from provision.stores.postgres.backfill.errors import IN_THE_WAY, shown
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate.sql import literal, table_name
from provision.text.durations import seconds
from provision.text.sizes import size

SELDOM = 1.0  # seconds between two looks at what changes slowly
_ANYBODY = "select exists (select from pg_locks where not granted)"
LAG = "10s"
# The table with its partitions, from the catalogue: pg_partition_tree() would wait for locks on them itself. Nothing
# once the table is gone, which the workers say.
_TREE = """
with recursive tree (relid) as (
    select {table}::oid union all select inhrelid from pg_inherits join tree on inhparent = relid
)
select relid from tree
"""
# Waits behind our transactions, and waits for a lock on the table itself; the age of a wait is known from 14 on.
_WAITS = """
select coalesce(max(extract(epoch from clock_timestamp() - {since})) filter (where w.locktype <> 'relation'), 0) * 1000,
       count(*) filter (where w.locktype = 'relation' and w.relation in ({tree}))
from pg_locks w join pg_stat_activity a on a.pid = w.pid
where not w.granted and a.application_name <> {ours} and (
    w.locktype = 'relation' and w.relation in ({tree})
    or w.locktype = 'transactionid' and exists (
        select from pg_locks h join pg_stat_activity o on o.pid = h.pid
        where h.granted and h.locktype = 'transactionid' and h.transactionid = w.transactionid
            and o.application_name = {ours}))
"""
# What only receives WAL (pg_receivewal) replays nothing, and its lag would grow for ever.
_LAG = """
select coalesce(max(extract(epoch from replay_lag)), 0)::float8 from pg_stat_replication where replay_lsn is not null
"""
_VACUUM = "select count(*) from pg_stat_progress_vacuum where relid in ({tree})"
_WAL = "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8"


class SignalReader:
    """Reads what the server says of one backfill; `ours` is the application name of its workers."""

    def __init__(self, connection: Connection, backfill: Backfill, ours: str) -> None:
        self._connection = connection
        given: Any = backfill.body.get("yield", {})
        self._given: Mapping[str, Any] = given
        self._target, self._where, self._name = backfill.target, backfill.place("yield", "sql"), backfill.name
        since = "w.waitstart" if connection.info.server_version >= 140000 else "a.query_start"
        tree = _TREE.format(table=f"to_regclass({literal(table_name(str(backfill.body['table'])))})")
        self._waits = _WAITS.format(since=since, tree=tree, ours=literal(ours))
        self._vacuum = _VACUUM.format(tree=tree)
        self._wal: tuple[float, float] | None = None
        self._next, self._slow = 0.0, ServerSignal()

    def look(self) -> ServerSignal:
        """Raises FailedError (bad-yield) for a query of the user's that fails."""
        # Most of the time nobody waits, and that is cheap to see.
        wait_ms, queued = self._row(self._waits) if self._row(_ANYBODY)[0] else (0, 0)
        now = time.monotonic()
        if now >= self._next:
            self._slow = next(self._signals(now), ServerSignal())
            self._next = now + SELDOM
        if queued and not self._slow.hold:
            return ServerSignal("lock waiters on the table", 0.2, wait_ms=round(wait_ms))
        return replace(self._slow, wait_ms=round(wait_ms))

    def _signals(self, now: float) -> Iterator[ServerSignal]:
        if "sql" in self._given and (why := self._user_signal(str(self._given["sql"]))):
            yield ServerSignal(why, 0.5, hold=True)
        lag, most = self._row(_LAG)[0], seconds(self._given.get("replication_lag", LAG))
        if lag > most:
            yield ServerSignal(f"replication lag {lag:.0f} s", 0.5, hold=True)
        if "wal" in self._given and (rate := self._wal_rate(now)) > size(str(self._given["wal"])):
            yield ServerSignal(f"WAL {rate / 2**20:.1f} MB/s", 0.5)
        if self._given.get("autovacuum", True) and self._row(self._vacuum)[0]:
            yield ServerSignal("autovacuum on the table", self._target / 2)

    def _wal_rate(self, now: float) -> float:
        written, before = self._row(_WAL)[0], self._wal
        self._wal = (now, written)
        return (written - before[1]) / max(now - before[0], 1e-3) if before is not None else 0.0

    def _user_signal(self, query: str) -> str:
        """What the user's own query says: a text, true, or a number above 0 mean patience."""
        try:
            value = self._row(query)[0]
        except IN_THE_WAY as error:
            return f"yield.sql: {shown(error)}"  # too busy to say is busy
        except psycopg.Error as error:
            what = f"yield.sql: {shown(error)}"
            fix = advice.resume_or_anew(self._name, "bring back what the query reads")
            raise FailedError("bad-yield", what, where=self._where, fix=fix) from None
        return "" if not value else "yield.sql" if value is True else f"yield.sql: {value}"

    def _row(self, query: str) -> tuple[Any, ...]:
        return self._connection.execute(query.encode()).fetchone() or (0, 0)
