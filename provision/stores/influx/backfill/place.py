"""Where the windows of a rollup are filled, and what is asked for that in either language. Times in seconds of 1970."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from provision.stores.influx.migrate.model import Rollup

Series = tuple[str, ...]
"""The values of the tags that keep series apart, in their order; empty for a tag that is not there."""
Window = tuple[Series, int]
"""A series, and when its window begins."""
# Series that one statement names; its text stays far below what a server reads at once.
NAMED = 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """Whole windows from `start` to before `stop`, of these series alone; `series` None: of all."""

    start: int
    stop: int
    series: tuple[Series, ...] | None


class Words(Protocol):
    """InfluxQL or Flux. What it asks raises as the server does."""

    def oldest(self, rollup: Rollup) -> int | None:
        """When the oldest point is that the rollup reads."""

    def tags(self, rollup: Rollup, start: int, stop: int) -> Series:
        """The names of the tags that keep the series apart between two moments."""

    def expected(self, rollup: Rollup, tags: Series, start: int, stop: int) -> Iterator[Window]:
        """Every window that the rollup would write; one may come more than once."""

    def there(self, rollup: Rollup, tags: Series, start: int, stop: int) -> Iterator[Window]:
        """Every window in which the target has a field that the rollup writes; one may come more than once."""

    def fill(self, rollup: Rollup, tags: Series, stretch: Stretch) -> str:
        """What writes the windows of a stretch, with the very functions of the rollup."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What lies between two moments: the windows that can be written, and those that are there; `tags` are names."""

    start: int
    stop: int
    every: int
    tags: Series
    expected: frozenset[Window]
    there: frozenset[Window]

    @property
    def missing(self) -> frozenset[Window]:
        return self.expected - self.there

    @property
    def rows(self) -> int:
        """Windows that were looked at."""
        return len(self.expected | self.there)

    def stretches(self) -> Iterator[Stretch]:
        """What is to be written. No stretch holds a window that its series has in the target, whatever it is made of.

        Between two such windows a stretch is as long as can be, so that many series have the same.
        """
        if not self.missing:
            return
        if not self.there:
            yield Stretch(self.start, self.stop, None)
            return
        alike: dict[tuple[int, int], list[Series]] = {}
        there = _by_series(self.there)
        for series, begins in sorted(_by_series(self.missing).items()):
            for bounds in self._between(sorted(there.get(series, ()))):
                if any(bounds[0] <= begin < bounds[1] for begin in begins):
                    alike.setdefault(bounds, []).append(series)
        for (start, stop), named in sorted(alike.items()):
            yield from (Stretch(start, stop, some) for some in _chunks(named))

    def _between(self, barriers: Sequence[int]) -> Iterator[tuple[int, int]]:
        start = self.start
        for barrier in barriers:
            if start < barrier:
                yield start, barrier
            start = barrier + self.every
        if start < self.stop:
            yield start, self.stop


class Stride:
    """How many window lengths the next slice has: as many as hold about the wanted rows, growing from a few."""

    FIRST, MOST = 5, 5_000
    MANY = 9_000  # rows; servers of 1.x may be set to cut answers off at 10,000

    def __init__(self) -> None:
        self._length, self._density = self.FIRST, 0.0

    def length(self, rows: int) -> int:
        """A slice of at most so many rows as far as can be told; with 1, of one window length."""
        wanted = min(rows, self.MANY) / self._density if self._density else self._length * 2
        self._length = 1 if rows <= 1 else max(1, min(int(wanted), self._length * 2, self.MOST))
        return self._length

    def saw(self, rows: int) -> None:
        """Learn how many rows the slice of the last `length` held."""
        self._density = rows / self._length


def read_by(rollup: Rollup) -> tuple[str, ...]:
    """The fields that a rollup reads."""
    calls = (call for each in rollup.outputs for call in (each.call, each.by) if call is not None)
    return tuple(dict.fromkeys(call.field for call in calls))


def _by_series(windows: Iterable[Window]) -> dict[Series, list[int]]:
    found: dict[Series, list[int]] = {}
    for series, begin in windows:
        found.setdefault(series, []).append(begin)
    return found


def _chunks(series: Sequence[Series]) -> Iterator[tuple[Series, ...]]:
    yield from (tuple(series[start : start + NAMED]) for start in range(0, len(series), NAMED))
