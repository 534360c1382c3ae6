"""Finds the rows in which two tables differ: sums of checksums, span by span, until few rows are left to fetch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from itertools import pairwise
from typing import TypeVar

from provision.errors import FailedError
from provision.model.comparable import JSON, ComparableTable, ComparedRow, Digest, Span, Values
from provision.ports.validate import Snapshot
from provision.threads import Call
from provision.validate.written import alike

# Spans of no more rows than this are fetched and compared row by row.
FEW = 2_000
# After so many differing rows the exact number says nothing more.
ENOUGH = 10_000
# Each time a span is cut its parts are a fraction of it; where they are not, the keys have no order that both know.
DEEPEST = 20
T = TypeVar("T")
Counts = tuple[int, int]
"""Of something, how many are here and how many there."""
Compared = tuple[Span, Digest, Digest]


@dataclass(slots=True)
class Differences:
    """Rows that are on one side alone; one that was changed is on both, with one key.

    `counts`: the rows that have the key of a differing row on either side, equal ones too. `cut`: there are more.
    """

    key: int
    rows: Counts = (0, 0)
    here: Counter[ComparedRow] = field(default_factory=Counter)
    there: Counter[ComparedRow] = field(default_factory=Counter)
    counts: dict[Values, Counts] = field(default_factory=dict)
    cut: bool = False

    def add(self, ours: Counter[ComparedRow], theirs: Counter[ComparedRow]) -> None:
        """What was read of one span on either side."""
        here, there = ours - theirs, theirs - ours
        differing = {row.values[: self.key] for row in (*here, *there)}
        for key, counts in _counted(self.key, ours, theirs).items():
            if key in differing:
                had = self.counts.get(key, (0, 0))
                self.counts[key] = (had[0] + counts[0], had[1] + counts[1])
        _put(here, self.here, self.there)
        _put(there, self.there, self.here)

    @property
    def enough(self) -> bool:
        return len(self.here) + len(self.there) >= ENOUGH


class Bisection:
    """Compares two snapshots, both at work at the same time."""

    def __init__(self, here: Snapshot, there: Snapshot, sheet: ComparableTable, parts: int) -> None:
        self._sides, self._sheet, self._parts = (here, there), sheet, parts

    def differences(self) -> Differences:
        """Raises FailedError (check-failed) when tables that differ were the same a moment later."""
        found = Differences(self._sheet.key)
        cuts = self._sides[0].cuts(Span(), None, self._parts) or self._sides[1].cuts(Span(), None, self._parts)
        spans = self._digested(Span(), cuts)
        ours, theirs = (reduce(_sum, each) for each in list(zip(*spans, strict=True))[1:])
        found.rows = (ours.rows, theirs.rows)
        if ours == theirs:  # whatever the parts say: the sides may sort otherwise
            return found
        self._search(spans, found)
        if not found.here and not found.there and not found.cut and JSON not in self._sheet.forms:
            what = "the tables differed, and no row did when they were read again: something writes to them"
            raise FailedError("check-failed", what, fix="narrow the check with --until, or repeat it")
        return found

    def _search(self, spans: Sequence[Compared], found: Differences, depth: int = 0) -> None:
        for span, ours, theirs in _joined(spans):
            if found.enough:
                found.cut = True
                return
            rows = max(ours.rows, theirs.rows)
            larger = self._sides[0] if ours.rows >= theirs.rows else self._sides[1]
            parts = min(self._parts, -(-2 * rows // FEW))
            cuts = () if rows <= FEW or span.keyless or depth == DEEPEST else larger.cuts(span, rows, parts)
            cuts = [cut for cut in cuts if cut not in (span.low, span.high)]
            within = self._digested(span, cuts)[:-1] if cuts else []
            if within and not _overlapping(within, ours.rows + theirs.rows):
                self._search(within, found, depth + 1)
            else:  # few rows, or all of one key
                self._fetch(span, found)

    def _digested(self, span: Span, cuts: Sequence[tuple[str, ...]]) -> list[Compared]:
        ours, theirs = self._both(lambda side: side.digests(span, cuts))
        bounds = (span.low, *cuts, span.high)
        spans = [*(Span(low, high) for low, high in pairwise(bounds)), Span(keyless=True)]
        return list(zip(spans, ours, theirs, strict=True))

    def _fetch(self, span: Span, found: Differences) -> None:
        ours, theirs = self._both(lambda side: side.rows(span, ENOUGH))
        if cut := len(ours) == ENOUGH or len(theirs) == ENOUGH:
            # Both are ordered by checksum: what lies beyond the shorter end was not read on the other side.
            last = min(each[-1].checksum for each in (ours, theirs) if len(each) == ENOUGH)
            ours, theirs = ([row for row in each if row.checksum < last] for each in (ours, theirs))
        found.cut = found.cut or cut
        found.add(*(Counter(alike(row, self._sheet) for row in each) for each in (ours, theirs)))

    def _both(self, work: Callable[[Snapshot], T]) -> tuple[T, T]:
        here, there = self._sides
        other = Call(lambda: work(there), "compare")
        try:
            ours = work(here)
        except BaseException:
            there.stop()
            raise
        return ours, other.result()


def _put(rows: Counter[ComparedRow], side: Counter[ComparedRow], other: Counter[ComparedRow]) -> None:
    """A row that the sides sort into different spans is found on both, one after the other, and is none."""
    for row, times in rows.items():
        both = min(times, other[row])
        for counter, change in ((other, -both), (side, times - both)):
            if change:
                counter[row] += change
            if not counter[row]:
                del counter[row]


def _joined(spans: Iterable[Compared]) -> Iterator[Compared]:
    """The spans that differ, neighbours as one where together they are of few rows."""
    last: Compared | None = None
    for span, ours, theirs in spans:
        if ours == theirs:
            continue
        if last is not None:
            before, had, others = last
            together = max(had.rows, others.rows) + max(ours.rows, theirs.rows)
            if together <= FEW and before.high == span.low and not span.keyless:
                last = (Span(before.low, span.high), _sum(had, ours), _sum(others, theirs))
                continue
            yield last
        last = (span, ours, theirs)
    if last is not None:
        yield last


def _overlapping(parts: Sequence[Compared], rows: int) -> bool:
    """Whether the parts hold far more rows than their whole: the sides sort otherwise, and cutting would not end."""
    return sum(ours.rows + theirs.rows for _, ours, theirs in parts) > 1.5 * rows


def _sum(one: Digest, other: Digest) -> Digest:
    return Digest(one.rows + other.rows, one.checksum + other.checksum)


def _counted(key: int, ours: Counter[ComparedRow], theirs: Counter[ComparedRow]) -> dict[Values, Counts]:
    counts: dict[Values, Counts] = {}
    for side, rows in enumerate((ours, theirs)):
        for row, times in rows.items():
            had = counts.get(row.values[:key], (0, 0))
            counts[row.values[:key]] = (had[0] + times, had[1]) if side == 0 else (had[0], had[1] + times)
    return counts
