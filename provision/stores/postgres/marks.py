"""Finds our statements in pg_stat_activity by their application_name, and stops them."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg

from provision.errors import RefusedError
from provision.model.statements import Mark, Running
from provision.stores.postgres.server import Connection

# Of a session of another role, one without rights on it sees the name and neither state nor times.
_RUNNING = """
select application_name,
       coalesce(extract(epoch from clock_timestamp() - coalesce(xact_start, query_start)), 0)::float8,
       left(coalesce(query, ''), 200), pid, state is not distinct from 'idle'
from pg_stat_activity
where application_name like 'provision/%' and datname = current_database() and pid <> pg_backend_pid()
"""


class PostgresMarked:
    """`provision.ports.Marked`. A session idle in its transaction works: it still holds what it did.

    One that is idle outside a transaction is in front of, or inside, an autocommit block: the statement that comes
    next there commits by itself, and no fence can refuse it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def running(self) -> Sequence[Running]:
        rows = self._connection.execute(_RUNNING).fetchall()
        marks = [(Mark.parse(row[0]), row) for row in rows]
        return [Running(mark, row[1], row[2], str(row[3]), row[4]) for mark, row in marks if mark is not None]

    def cancel(self, running: Running) -> None:
        # Not pg_cancel_backend: it does nothing to a session that idles in its transaction.
        try:
            self._connection.execute("select pg_terminate_backend(%s::int)", (running.handle,))
        except psycopg.errors.InsufficientPrivilege as error:
            raise RefusedError(
                "still-running",
                f"a session of an earlier run is open, and may not be ended: {error.diag.message_primary}",
                where=f"{self._connection.store}: pid {running.handle}, {running.mark.revision}",
                fix=f"as a superuser: select pg_terminate_backend({running.handle}); then run again",
            ) from None
