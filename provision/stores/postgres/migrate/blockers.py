"""Says who holds what a statement waits for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from provision.errors import UnreachableError
from provision.ports import Journal
from provision.stores.postgres.server import Connection

FIRST_LOOK, NEXT_LOOK = 2.0, 15.0  # seconds
_OLDEST = """
select pid, usename, application_name, extract(epoch from clock_timestamp() - xact_start)::int, left(query, 60)
from pg_stat_activity
where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
  and datname = current_database()
order by xact_start limit 3
"""
_BLOCKING = """
select distinct a.pid, a.usename, a.application_name, extract(epoch from clock_timestamp() - a.xact_start)::int,
       left(a.query, 60)
from pg_stat_activity w, unnest(pg_blocking_pids(w.pid)) as b(pid) join pg_stat_activity a on a.pid = b.pid
where w.application_name like 'provision/%'
"""


def oldest(connection: Connection) -> str:
    """The open transactions that may hold the lock, oldest first, in words."""
    return _describe(connection, _OLDEST) or "nobody holds an open transaction now"


@contextmanager
def watched(connection: Connection, journal: Journal) -> Iterator[None]:
    """While the block runs, note who blocks it: statements outside a transaction have no lock_timeout."""
    over = threading.Event()

    def look() -> None:
        pause = FIRST_LOOK
        while not over.wait(pause):
            try:
                blocking = _describe(connection, _BLOCKING)
            except (psycopg.Error, UnreachableError):
                return  # the statement itself will say that the server is gone
            if blocking:
                journal.note(f"waits for {blocking}")
                pause = NEXT_LOOK

    thread = threading.Thread(target=look, name="blockers", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _describe(connection: Connection, sql: str) -> str:
    rows = connection.execute(sql).fetchall()
    return "; ".join(
        f"pid {pid} ({user}{f', {name}' if name else ''}) in a transaction for {age} s: {' '.join(query.split())}"
        for pid, user, name, age, query in rows
    )
