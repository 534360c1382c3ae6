"""Says who holds what a statement waits for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from provision.stores.postgres.server import Connection

# What they were given may be anything of theirs: it is neither shown nor kept.
_LITERAL = re.compile(r"\$(\w*)\$.*?(?:\$\1\$|\Z)|'(?:[^']|'')*(?:'|\Z)", re.DOTALL)
_HEAD = 60  # characters of a statement
_NAMED = 2  # of the sessions that are in the way; behind the oldest one, others only queue
_COLUMNS = """
coalesce(a.usename, '')::text, coalesce(a.application_name, ''),
coalesce(extract(epoch from clock_timestamp() - a.xact_start), 0)::int, left(coalesce(a.query, ''), 500)
"""
_OLDEST = f"""
select a.pid, {_COLUMNS} from pg_stat_activity a
where xact_start is not null and pid <> pg_backend_pid() and backend_type = 'client backend'
  and datname = current_database()
order by xact_start limit 3
"""
# Not the session that asks: what is made concurrently waits for every look at the database.
_BLOCKING = f"""
select b.pid, {_COLUMNS} from (select distinct unnest(pg_blocking_pids(%s::int))) as b(pid)
left join pg_stat_activity a on a.pid = b.pid where b.pid <> pg_backend_pid() order by a.xact_start
"""


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that holds a lock, or is before us in the queue for it; `age` of its transaction in seconds."""

    pid: int
    user: str
    application: str
    age: int
    query: str

    @property
    def name(self) -> str:
        """Which session it is, in a few words."""
        return f"pid {self.pid} ({', '.join(filter(None, (self.user, self.application)))})"

    def __str__(self) -> str:
        return f"{self.name} in a transaction for {self.age} s: {self.query}"

    def kept(self) -> dict[str, object]:
        """As a ledger entry keeps it."""
        return asdict(self)


def oldest(connection: Connection) -> str:
    """The open transactions that may hold the lock, oldest first, in words."""
    return in_words(_found(connection, _OLDEST)) or "nobody holds an open transaction now"


def blocking(connection: Connection, pid: int) -> tuple[Blocker, ...]:
    """Whom the session `pid` waits for now, the oldest transaction first; nobody while it waits for no lock."""
    return _found(connection, _BLOCKING, (pid,))


def in_words(blockers: Sequence[Blocker]) -> str:
    """The first of them, each with its transaction; empty for none."""
    more = len(blockers) - _NAMED
    return "; ".join([*map(str, blockers[:_NAMED]), *([f"and {more} more"] if more > 0 else [])])


def head(query: str) -> str:
    """The beginning of a statement in one line, without what it was given."""
    text = _LITERAL.sub("'…'", query)
    line = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    return line if len(line) <= _HEAD else f"{line[: _HEAD - 1]}…"


def _found(connection: Connection, sql: str, values: Sequence[object] = ()) -> tuple[Blocker, ...]:
    rows = connection.execute(sql, values or None).fetchall()
    return tuple(blocker(*row) for row in rows)


def blocker(pid: int, user: str, name: str, age: int, query: str) -> Blocker:
    """A session as pg_stat_activity has it."""
    return Blocker(pid, _printable(user), _printable(name), age, head(query))


def _printable(text: str) -> str:
    return "".join(each if each.isprintable() else "?" for each in text)
