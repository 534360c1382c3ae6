"""Looks at a statement that takes its time, in a thread and a session of its own: whom it waits for, how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psycopg

from provision.errors import ProvisionError
from provision.ports import Journal
from provision.stores.postgres.migrate.blockers import Blocker, blocking, head, in_words
from provision.stores.postgres.server import Connection

TICK = 0.05  # seconds between two looks
LATE = 5.0  # seconds that a busy server may take to cancel
FIRST_WORD, NEXT_WORD = 2.0, 15.0  # seconds
SHOWN = 1.0  # seconds between two of what is shown at a terminal
_IN_CYCLE = """
with recursive before(pid) as (
    select unnest(pg_blocking_pids(%(pid)s::int))
    union select b.pid from before, unnest(pg_blocking_pids(before.pid)) as b(pid)
)
select exists(select from before where pid = %(pid)s::int)
"""
# Not pg_stat_activity: of other users' sessions it shows what they wait for only to some.
_WAITED_FOR = "select exists(select from pg_locks where not granted and %s::int = any(pg_blocking_pids(pid)))"
_CANCEL = """
select pg_cancel_backend(%(pid)s::int)
where cardinality(array_remove(pg_blocking_pids(%(pid)s::int), pg_backend_pid())) > 0
"""
_PROGRESS = """
select command, phase, coalesce(nullif(blocks_total, 0), nullif(tuples_total, 0), nullif(lockers_total, 0)),
       case when blocks_total > 0 then blocks_done when tuples_total > 0 then tuples_done else lockers_done end
from pg_stat_progress_create_index where pid = %s::int
"""


def waited_for(connection: Connection, pid: int) -> bool:
    """Whether any session waits for the session `pid`."""
    return connection.execute(_WAITED_FOR, (pid,)).fetchone() == (True,)


@dataclass(slots=True)
class Watched:
    """A statement in hand. `until` is when its waiting is to end if others wait for it; times are monotonic."""

    pid: int
    text: str
    until: float | None
    since: float = field(default_factory=time.monotonic)
    ended: float = 0.0
    blockers: tuple[Blocker, ...] = ()
    word: float = 0.0  # seconds after which something is said of it
    shown: float = 0.0  # seconds after which it is shown as it is then

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.since


class StatementWatch:
    """Watches one statement at a time. It ends a wait that would have the server choose somebody else's transaction."""

    def __init__(self, connect: Callable[[], Connection], journal: Journal) -> None:
        self._connect, self._journal = connect, journal
        self._in_hand: Watched | None = None
        self.last = Watched(0, "", None)
        self._canceled = float("-inf")
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    def begins(self, pid: int, text: str, until: float | None) -> None:
        """A statement is about to be sent in the session `pid`."""
        self._in_hand = self.last = Watched(pid, text, until, word=FIRST_WORD, shown=SHOWN)
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="locks", daemon=True)
            self._thread.start()

    def ends(self) -> None:
        """The statement has ended, well or not; `last` is what was seen of it."""
        if self._in_hand is not None:
            self._in_hand.ended = time.monotonic()
            if self._in_hand.shown > SHOWN:
                self._journal.note("", live=True)
        self._in_hand = None

    def canceled(self) -> bool:
        """Whether a statement that was canceled may have been by us: it can be the one after the one that was meant."""
        return time.monotonic() - self._canceled < LATE

    def close(self) -> None:
        self.ends()
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        """The thread. What keeps it from looking is said once; the statements go on, within the server's limits."""
        connection = None
        try:
            while not self._over.wait(TICK):
                watched = self._in_hand
                if watched is None or watched.seconds < 2 * TICK:
                    continue
                connection = connection or self._connect()
                self._look(connection, watched)
                if watched.seconds >= watched.shown and self._in_hand is watched:
                    self._say(connection, watched)
        except (psycopg.Error, ProvisionError) as error:
            self._journal.note(f"statements are not watched any more: {' '.join(str(error).split())}")
        finally:
            if connection is not None:
                connection.close()

    def _look(self, connection: Connection, watched: Watched) -> None:
        pid = {"pid": watched.pid}
        found = blocking(connection, watched.pid)
        if not found or self._in_hand is not watched:
            return
        watched.blockers = found
        over = watched.until is not None and time.monotonic() >= watched.until
        if connection.execute(_IN_CYCLE, pid).fetchone() == (True,) or (over and waited_for(connection, watched.pid)):
            self._canceled = time.monotonic()  # before: its error may be here before the answer is
            connection.execute(_CANCEL, pid)

    def _say(self, connection: Connection, watched: Watched) -> None:
        """Show the statement, whom it waits for, and how far it is with an index; tell the latter two now and then."""
        blockers = blocking(connection, watched.pid)
        row = connection.execute(_PROGRESS, (watched.pid,)).fetchone()
        built = ""
        if row is not None:
            command, phase, total, done = row
            built = f"{command.lower()}: {phase}" + (f", {100 * done // total} %" if total else "")
        waits = "; ".join(filter(None, (built, f"waits for {in_words(blockers)}" if blockers else "")))
        watched.shown = watched.seconds + SHOWN
        if self._in_hand is watched:
            # A terminal's line is cut: what is new in it comes first.
            whom = f"waits for {blockers[0].name}" if blockers else ""
            about = ", ".join(filter(None, (f"statement {watched.seconds:.0f} s", built, whom)))
            self._journal.note(f"{about}: {head(watched.text)}", live=True)
        if waits and watched.seconds >= watched.word:
            watched.word = watched.seconds + NEXT_WORD
            self._journal.note(f"{waits} [{head(watched.text)}, {watched.seconds:.0f} s]")
