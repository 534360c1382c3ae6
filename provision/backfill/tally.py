"""What all workers of a process did and met, for people and for the passes of a run."""

from __future__ import annotations

import threading

from provision.model.backfills import Filled, LockHolder


class BatchTally:
    """Counts batches: `trips` are their round trips, `locked` the rows that were left to others since `begin_pass`."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self.batches = self.trips = self.locked = 0
        self.holder: LockHolder | None = None
        self.waiting = ""  # for what, once nothing but that is left

    def add(self, filled: Filled) -> None:
        with self._turn:
            self.batches += 1
            self.trips += filled.trips
            self.locked += filled.locked
            self.holder = filled.holder or self.holder

    def begin_pass(self) -> None:
        """Forget the rows that were locked: they are visited again."""
        with self._turn:
            self.locked, self.holder = 0, None

    def __str__(self) -> str:
        each = f" of {self.trips / self.batches:.1f} round trips" if self.trips else ""
        return f"{self.batches:,} batch{'' if self.batches == 1 else 'es'}{each}"
