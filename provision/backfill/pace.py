"""How fast a worker goes: batches no longer than asked, and never more rows a second than asked."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

from provision.backfill.cost import APART, BatchCost

GROWTH, SHRINK = 2.0, 0.2  # the most that one batch may change the size of the next
MOST = 200_000
FADING = 5.0  # seconds after which what was done counts about a third in the speed
AIM = 0.95  # of the target: a batch that goes beyond it is ended and done again
TRIED = 0.6  # × as many rows now and then, to see what a batch costs without them
ENDED = 0.7  # × as many rows after a batch that was ended, again and again less after several in a row
LEAST = 0.25  # of the target is for rows, however long a batch takes without any


class BatchSize:
    """Rows of the next batch: as many as the target allows, by what the last ones cost.

    Where others wait for a whole batch, its fixed cost is part of their
    wait, and the rows have what it leaves of the target, but never less than LEAST of it: a batch of one row would
    take nearly as long, and the run would never end. Where nobody does, as over a network, the fixed cost is nobody's
    wait, and the rows have all of it.
    """

    def __init__(self, rows: int, target: float) -> None:
        self.rows, self.target, self._most = max(rows, 1), target, MOST
        self._cost = BatchCost()
        self._ended = 0  # batches in a row
        self._longer = False  # the last one took longer than the target, as small as it was

    def at_most(self, rows: int) -> None:
        """The limit for rows that are wide."""
        self._most = max(min(rows, MOST), 1)
        self.rows = min(self.rows, self._most)

    @property
    def floor(self) -> int:
        """The rows that a batch has however long it takes; 1 while nothing is known."""
        cost = self._cost
        return min(max(int(self.target * LEAST / cost.per_row), 1), self._most) if cost.known else 1

    @property
    def limit(self) -> float:
        """Seconds after which a batch should be ended; 0 where a smaller one would take as long, and has."""
        smaller = self.rows > self.floor or self._cost.expected(self.rows) < self.target
        return self.target if (smaller or not (self._ended or self._longer)) and self.rows > 1 else 0.0

    def took(self, rows: int, seconds: float, *, held: bool = False) -> None:
        """Learn from a batch of so many rows; `held`: others may have waited for all of its seconds."""
        if rows < 1 or (not self._cost.known and rows * 2 < self.rows):
            return  # the first one was cut short by the end of a part, and says too little
        self._ended, self._longer = 0, held and seconds >= self.target
        self._cost.add(rows, seconds)
        usual = self.target * AIM / self._cost.noise
        wanted = (usual - self._cost.fixed * held) / self._cost.per_row
        if held and seconds > self.target:  # believed at once: others waited
            wanted = min(wanted, rows * self.target / seconds)
        self._turn(max(wanted, self.floor))

    def ended(self, rows: int, seconds: float) -> None:
        """A batch of so many rows was ended after so many seconds: it would have taken longer."""
        self._ended += 1
        self._cost.add(rows, seconds * 1.25)
        self._turn(max(rows * ENDED**self._ended, 1))

    def halve(self) -> None:
        """After a batch that met others: take less at once. What was learnt stays."""
        self.rows = max(self.rows // 2, 1)

    def _turn(self, wanted: float) -> None:
        found = min(max(wanted, self.rows * SHRINK, 1), self.rows * GROWTH, self._most)
        tried = found * TRIED
        # Of all alike, those as small as a trial ask for the full size again.
        another = self._cost.alike and abs(self.rows - tried) > APART * tried
        self.rows = round(tried if another else found) or 1


class Brake:
    """Keeps a process at a number of rows a second, whatever its workers; `rate` None, 0 or infinite: no limit."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self.rate, self._clock = _limit(rate), clock
        self.share = 1.0  # of the rate: others work on the run too
        self._free, self._turn = clock(), threading.Lock()

    def change(self, rate: float | None) -> None:
        """Another rate from now on: what the old one still asked to wait is forgotten."""
        with self._turn:
            if _limit(rate) != self.rate:
                self.rate, self._free = _limit(rate), self._clock()

    def claim(self, rows: int) -> float:
        """0 for leave to fill so many rows, which are counted at once: others wait for them; else seconds to wait."""
        with self._turn:
            now = self._clock()
            if not self.rate or self._free > now:
                return self._free - now if self.rate else 0.0
            self._free = max(self._free, now - 1.0) + rows / (self.rate * self.share)
            return 0.0

    def settle(self, claimed: int, changed: int) -> None:
        """Count what a batch changed in the place of what was claimed for it."""
        with self._turn:
            if self.rate:
                self._free += (changed - claimed) / (self.rate * self.share)

    def most(self, rows: int) -> int:
        """At most a quarter of a second's rows in one batch, so that a slow rate is even."""
        rate = self.rate
        return max(min(rows, round(rate * self.share / 4)), 1) if rate else rows


def _limit(rate: float | None) -> float | None:
    return rate if rate and math.isfinite(rate) else None


class Speed:
    """Rows a second over the last seconds: both fade alike, so that a quick first batch is soon outweighed."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._at, self.rate = clock, clock(), 0.0
        self._rows = self._seconds = 0.0

    def add(self, rows: int) -> float:
        """Count rows done since the last call; the rate now."""
        now = self._clock()
        seconds = max(now - self._at, 1e-6)
        kept = math.exp(-seconds / FADING)
        self._rows, self._seconds = self._rows * kept + rows, self._seconds * kept + seconds
        self._at, self.rate = now, self._rows / self._seconds
        return self.rate
