"""Windows of time without a point where there should be one, looked for slice by slice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from provision.stores.influx.validate.place import Language, Span
from provision.validate.scan import Deadline

BILLION = 10**9
# Windows of one slice at first; a slice that answers with more rows than this is followed by a shorter one.
FIRST, MANY, MOST = 500, 20_000, 5_000
Window = tuple[tuple[str, ...], int]


@dataclass(frozen=True, slots=True)
class EmptyWindows:
    """What is looked at: windows of `every` seconds, one for each value of the tags `per`.

    With `source`, a window is expected where that holds a point; without, everywhere after the first point of its tags.
    """

    span: Span
    source: Span | None
    every: int
    per: tuple[str, ...]

    def expected(self, language: Language, deadline: Deadline) -> Iterator[tuple[Window, bool]]:
        """Every expected window in order of slices, and whether it holds a point. Never holds more than a slice."""
        step, size = self.every * BILLION, FIRST
        at, end = self.span.start or 0, self.span.stop or 0
        known: set[tuple[str, ...]] = set()
        while at < end:
            deadline.check()
            upto = min(at + size * step, end)
            there = set(language.windows(replace(self.span, start=at, stop=upto), self.every, self.per))
            wanted = self._wanted(language, at, upto, there, known)
            count = len(there)
            for window in wanted:
                count += 1
                yield window, window in there
            at = upto
            size = _next(size, count)

    def _wanted(
        self, language: Language, at: int, upto: int, there: set[Window], known: set[tuple[str, ...]]
    ) -> Iterator[Window]:
        if self.source is not None:
            # A source may answer a window once for each of its fields.
            yield from sorted(set(language.windows(replace(self.source, start=at, stop=upto), self.every, self.per)))
            return
        first = dict.fromkeys(known, at)
        for tags, begin in sorted(there, key=lambda each: each[1]):
            first.setdefault(tags, begin)
        known |= first.keys()
        for tags, begin in sorted(first.items()):
            yield from ((tags, each) for each in range(begin, upto, self.every * BILLION))


@dataclass(frozen=True, slots=True)
class StaleWindows:
    """Windows of `every` seconds that are there, against what their source gives now: calls such as `count(value)`."""

    span: Span
    value: str
    source: Span
    given: str
    every: int
    per: tuple[str, ...]

    def compared(self, language: Language, deadline: Deadline) -> Iterator[tuple[Window, float, float]]:
        """Every window that both have, what it says, and what it would say now. Never holds more than a slice.

        One whose source is gone, or that was never made, is in none of them.
        """
        at, end, size = self.span.start or 0, self.span.stop or 0, FIRST
        while at < end:
            deadline.check()
            upto = min(at + size * self.every * BILLION, end)
            there = self._sums(language, replace(self.span, start=at, stop=upto), self.value)
            given = self._sums(language, replace(self.source, start=at, stop=upto), self.given) if there else {}
            for window in sorted(there.keys() & given.keys(), key=lambda each: (each[1], each[0])):
                yield window, there[window], given[window]
            at, size = upto, _next(size, len(there))

    def _sums(self, language: Language, span: Span, call: str) -> dict[Window, float]:
        return {(tags, begin): value for tags, begin, value in language.sums(span, call, self.every, self.per)}


def _next(size: int, count: int) -> int:
    """How many windows the next slice has, after one that answered with so many rows."""
    return max(1, size // 2) if count > MANY else min(size * 2, MOST) if count < MANY // 8 else size


def aligned(moment: int, every: int) -> int:
    """The begin of the window that holds a moment, in nanoseconds since 1970."""
    return moment // (every * BILLION) * every * BILLION


def names(per: Sequence[str]) -> tuple[str, ...]:
    return ("time", *per)
