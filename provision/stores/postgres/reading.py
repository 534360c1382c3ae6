"""Sessions that read tables of others: a lock is waited for with a limit, and who has it is said meanwhile.

A statement that only reads waits behind ALTER TABLE too, even one that asks the catalog for a size.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from provision.errors import ProvisionError
from provision.stores.postgres.server import ANSWER_SECONDS, Connection, connect

PATIENCE = 10.0  # seconds for which a lock is waited for where nothing else is asked
_SET = "select set_config('lock_timeout', %s, false)"


def reader(connection: Connection, seconds: float | None = None) -> Connection:
    """The connection, which from now on waits so long for a lock. Its `execute` raises FailedError (table-locked)."""
    limit(connection, PATIENCE if seconds is None else seconds)
    connection.blockers, connection.suspects = _blockers, _suspects
    return connection


def limit(connection: Connection, seconds: float) -> None:
    """Let the session wait so long for a lock, after which psycopg's own error is raised."""
    connection.execute(_SET, (f"{round(seconds * 1000)}ms",))
    connection.blockers = None


@contextmanager
def patience(connection: Connection, seconds: float | None = None) -> Iterator[None]:
    """In the block the connection is a `reader`, and afterwards as it was."""
    if connection.blockers is not None:
        yield
        return
    [(before,)] = connection.execute("select current_setting('lock_timeout')").fetchall()
    reader(connection, seconds)
    try:
        yield
    finally:
        connection.blockers = None
        if not connection.closed:
            connection.execute(_SET, (before,))


def _suspects(connection: Connection) -> str:
    from provision.stores.postgres.migrate.blockers import oldest

    try:
        return oldest(connection)
    except (psycopg.Error, ProvisionError):
        return ""  # in a transaction, nothing more is answered


def _blockers(connection: Connection) -> str:
    from provision.stores.postgres.migrate.blockers import blocking, in_words  # most sessions wait for nobody

    try:
        with connect(connection.url, connection.store, timeout=ANSWER_SECONDS) as other:
            return in_words(blocking(other, connection.info.backend_pid))
    except (psycopg.Error, ProvisionError):
        return ""  # that a server answers nobody is noticed elsewhere
