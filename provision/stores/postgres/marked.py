"""Finds our statements in pg_stat_activity by their application_name, and stops them."""

from __future__ import annotations

from collections.abc import Sequence

from provision.model import Mark, Running
from provision.stores.postgres.connection import Connection

_RUNNING = """
select application_name, extract(epoch from clock_timestamp() - coalesce(xact_start, query_start))::float8,
       left(query, 200), pid
from pg_stat_activity
where application_name like 'provision/%%' and datname = current_database() and pid <> pg_backend_pid()
  and state <> 'idle'
"""


class PostgresMarked:
    """`provision.ports.Marked`. A session idle in its transaction counts: it still holds what it did."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def running(self) -> Sequence[Running]:
        rows = self._connection.execute(_RUNNING.replace("%%", "%")).fetchall()
        marks = [(Mark.parse(row[0]), row) for row in rows]
        return [Running(mark, row[1] or 0.0, row[2], str(row[3])) for mark, row in marks if mark is not None]

    def cancel(self, running: Running) -> None:
        # Not pg_cancel_backend: it does nothing to a session that idles in its transaction.
        self._connection.execute("select pg_terminate_backend(%s::int)", (running.handle,))
