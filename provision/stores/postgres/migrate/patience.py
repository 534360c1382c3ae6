"""How long an attempt at a revision may wait for locks, and how often it is made."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError

from provision.stores.postgres.server import Connection
from provision.text import durations

# A session that waits looks for a deadlock once, after `deadlock_timeout`. Whoever waits for us began to after we took
# our first lock: while all our waiting ends before that time is over, nobody but us can find a cycle with us in it. The
# rest of it is for what the server is told late: SLACK, and a tick of the watch.
SHARE = 0.75
LONGEST = 3.0  # seconds, however long the server waits: everybody queues behind a statement that waits for a table
LEAST = 0.001  # the least that a server takes as a limit
RETRIES = 30
SLACK = 0.02  # seconds that the server's limit may be behind ours before it is told

LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION, CANCELED = "55P03", "40P01", "40001", "57014"
_LOST = (LOCK_NOT_AVAILABLE, DEADLOCK, SERIALIZATION)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one attempt: seconds that it may wait for locks in all, seconds a statement may take, attempts after it."""

    lock: float
    statement: float | None = None
    retries: int = RETRIES


def limits(given: Mapping[str, object], header: Mapping[str, object], deadlock: float) -> Limits:
    """Those of a revision: what its header says, else what provision.toml does, else what suits the server.

    `deadlock`: after how many seconds it looks for one.
    """
    said = {**given, **header}
    lock, statement = (said.get(name) for name in ("lock_timeout", "statement_timeout"))
    return Limits(
        min(deadlock * SHARE, LONGEST) if lock is None else durations.typed(str(lock)),
        None if statement is None else durations.typed(str(statement)),
        int(str(said.get("retries", RETRIES))),
    )


def deadlock_timeout(connection: Connection) -> float:
    """Seconds after which the server looks whether a session that waits is in a deadlock."""
    row = connection.execute("select setting::int / 1000.0 from pg_settings where name = 'deadlock_timeout'").fetchone()
    return float(row[0]) if row else 1.0


class LockBudget:
    """What is left of the time to wait for locks. It begins with the first statement: nothing is held before."""

    def __init__(self, seconds: float) -> None:
        self._seconds = self._told = seconds
        self._since: float | None = None

    def left(self) -> float:
        """Seconds; not above 0 once the time is over."""
        if self._since is None:
            self._since = time.monotonic()
        return self._seconds - (time.monotonic() - self._since)

    def told(self, seconds: float) -> None:
        """The server has been told a limit."""
        self._told = seconds

    def renew(self) -> None:
        """Begin again: nobody waits for us, so that nobody can look for a deadlock before that time is over."""
        self._since = None

    def to_tell(self, left: float) -> str | None:
        """The limit to give to the server; None while the one that it has will do."""
        if abs(self._told - left) <= SLACK and left > 0:
            return None
        self._told = max(left, LEAST)
        return milliseconds(self._told)


def milliseconds(seconds: float) -> str:
    """As the server reads it."""
    return f"{round(seconds * 1000)}ms"


def lost(error: BaseException | None, *, canceled: bool) -> str:
    """The server's code for a race that was lost, of the error or of what it came from; empty for anything else.

    `canceled`: it was we who told the server to cancel the statement.
    """
    while error is not None:
        code = _code(error)
        if code in _LOST or (canceled and code == CANCELED):
            return code
        error = error.__cause__ or error.__context__
    return ""


def _code(error: BaseException) -> str:
    orig: Any = error.orig if isinstance(error, DBAPIError) else error
    if not isinstance(error, DBAPIError | psycopg.Error):
        return ""
    return str(getattr(orig, "sqlstate", None) or getattr(orig, "pgcode", None) or "")
