"""How fast a worker goes: batches of about the wanted duration, and never more rows a second than asked."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable

WEIGHT = 0.3  # of the newest batch in the moving average
SLOWER = 0.6  # of one that took longer: writers wait for a batch, so slowness is believed sooner than speed
GROWTH, SHRINK = 2.0, 0.2  # the most that one batch may change the size of the next
MOST = 200_000


class BatchSize:
    """Rows of the next batch, from a moving average of the seconds a row took."""

    def __init__(self, rows: int, target: float) -> None:
        self.rows, self.target = max(rows, 1), target
        self._per_row: float | None = None

    def took(self, rows: int, seconds: float) -> None:
        """Learn from a batch of so many rows looked at; one cut short by the end of a part says too little."""
        if rows * 2 < self.rows or rows < 1:
            return
        per_row = seconds / rows
        known = per_row if self._per_row is None else self._per_row
        self._per_row = known + (per_row - known) * (SLOWER if per_row > known else WEIGHT)
        wanted = self.target / max(self._per_row, 1e-9)
        self.rows = round(min(max(wanted, self.rows * SHRINK, 1), self.rows * GROWTH, MOST)) or 1

    def halve(self) -> None:
        """After rows that others held locked: take less at once. What was learnt stays."""
        self.rows = max(self.rows // 2, 1)


class Brake:
    """Keeps a process at a number of rows a second, whatever its workers; `rate` None, 0 or infinite: no limit."""

    def __init__(self, rate: float | None, clock: Callable[[], float]) -> None:
        self.rate, self._clock = _limit(rate), clock
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
            self._free = max(self._free, now - 1.0) + rows / self.rate
            return 0.0

    def settle(self, claimed: int, changed: int) -> None:
        """Count what a batch changed in the place of what was claimed for it."""
        with self._turn:
            if self.rate:
                self._free += (changed - claimed) / self.rate

    def most(self, rows: int) -> int:
        """At most a quarter of a second's rows in one batch, so that a slow rate is even."""
        rate = self.rate
        return max(min(rows, round(rate / 4)), 1) if rate else rows


def _limit(rate: float | None) -> float | None:
    return rate if rate and math.isfinite(rate) else None


class Speed:
    """Rows a second over the last seconds, as a moving average."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock, self._at, self.rate = clock, clock(), 0.0

    def add(self, rows: int) -> float:
        """Count rows done since the last call; the rate now."""
        now = self._clock()
        seconds = max(now - self._at, 1e-6)
        share = min(seconds / 5.0, 1.0) if self.rate else 1.0
        self.rate += (rows / seconds - self.rate) * share
        self._at = now
        return self.rate
