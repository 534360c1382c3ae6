"""The attempts at a step: each gives way to others, says to whom, and after a pause the next one is made."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from provision.model import Step
from provision.ports import Journal
from provision.stores.postgres.migrate.blockers import in_words, oldest
from provision.stores.postgres.migrate.patience import LOCK_NOT_AVAILABLE, Limits, lost, milliseconds
from provision.stores.postgres.migrate.table_locks import Need
from provision.stores.postgres.migrate.watch import StatementWatch
from provision.stores.postgres.server import Connection

# Seconds. A long transaction is given more time with each attempt; those in a circle with us end when we give way.
FIRST_PAUSE, LAST_PAUSE, LAST_OF_CIRCLE, GROWTH = 0.2, 3.0, 0.5, 1.3
KEPT = 10  # of the times that a step gave way, those that its ledger entry names


class Attempt:
    """The attempts at one step so far, and the limits of each. `fix`: what to do when there is no further one."""

    def __init__(self, step: Step, limits: Limits, own: Connection, watch: StatementWatch, journal: Journal) -> None:
        self.step, self.limits = step, limits
        self._own, self._watch, self._journal = own, watch, journal
        self.check = journal.check
        self._gave_way: list[dict[str, object]] = []
        self.fix = ""
        self.text: str | None = None  # its SQL, empty where that cannot be had without a database
        self.needs: tuple[Need, ...] = ()  # what a further attempt locks before its first statement

    @property
    def settings(self) -> dict[str, str | None]:
        """The limits as the server reads them; None for what stays as it is."""
        statement = self.limits.statement
        return {
            "lock": milliseconds(self.limits.lock),
            "statement": None if statement is None else milliseconds(statement),
        }

    @property
    def detail(self) -> dict[str, object]:
        """What the ledger entry of the step keeps; nothing where it gave way to nobody."""
        if not self._gave_way:
            return {}
        return {"attempts": len(self._gave_way) + 1, "gave_way": self._gave_way[-KEPT:]}

    @contextmanager
    def watching(self, pid: int, text: str) -> Iterator[None]:
        """While the block sends a text in the session `pid`, see whom it waits for."""
        self._watch.begins(pid, text, time.monotonic() + self.limits.lock)
        try:
            yield
        finally:
            self._watch.ends()

    def lost_race(self, error: BaseException) -> str:
        """The server's code when the statement in hand had to give way; empty for any other error."""
        self._watch.ends()
        return lost(error, canceled=self._watch.canceled())

    def gives_way(self, error: BaseException, undone: Callable[[], bool] = lambda: True) -> bool:
        """Whether the step is to be tried again: said, written down and waited for.

        `undone`: whether what was in flight is known not to be done. Raises what Journal.check does.
        """
        code, watched = self.lost_race(error), self._watch.last
        if not code:
            return False
        waited = watched.ended - watched.since
        whom = in_words(watched.blockers) or oldest(self._own)
        if len(self._gave_way) >= self.limits.retries or not undone():
            self.fix = f"{whom}; run again when it is free"
            return False
        to = [each.kept() for each in watched.blockers[:KEPT]]
        self._gave_way.append({"code": code, "waited_ms": round(waited * 1000), "to": to})
        pause = self._pause(LAST_PAUSE if code == LOCK_NOT_AVAILABLE else LAST_OF_CIRCLE)
        again = f"tries again in {pause:.1f} s ({len(self._gave_way)} of {self.limits.retries})"
        self._journal.note(f"{self.step.id} gave way after {waited:.1f} s to {whom}; {again}")
        _sleep(pause, self._journal)
        return True

    def _pause(self, most: float) -> float:
        """Seconds before the next attempt: longer each time, and not the same for two that collided."""
        longest = min(FIRST_PAUSE * GROWTH ** len(self._gave_way), most)
        return random.uniform(longest / 2, longest)


def _sleep(seconds: float, journal: Journal) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        journal.check()
        time.sleep(min(left, 0.1))
