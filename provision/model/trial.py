"""What the statements of a revision were seen to do to tables that hold rows."""

from __future__ import annotations

from typing import NamedTuple

LOCKS = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
"""PostgreSQL's locks of tables, weakest first; see "Explicit Locking" of its manual."""
STOPS_WRITES, STOPS_READS = LOCKS.index("ShareLock"), LOCKS.index("AccessExclusiveLock")


class TableSeen(NamedTuple):
    """One table that was there before a statement. `lock` is what the statement took anew, empty for nothing stronger
    than before; `scanned` is how many rows were read one after the other; `rows` is how many there were."""

    table: str
    lock: str
    rewritten: bool
    scanned: int
    rows: int


class StatementSeen(NamedTuple):
    """One statement at its place. `held_ms`: from its start to the end of the transaction that it is in."""

    file: str
    line: int
    last: int
    ms: float
    held_ms: float
    tables: tuple[TableSeen, ...]


class RevisionSeen(NamedTuple):
    """What was seen of a revision. `not_seen`: why, of statements that were not tried; `failed`: what the revision
    did not stand rows for, as the server says it."""

    statements: tuple[StatementSeen, ...] = ()
    not_seen: tuple[tuple[int, str], ...] = ()
    failed: str = ""
