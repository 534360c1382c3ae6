"""Which windows are missing, which are over, which can be merged. Pure: it asks nobody, and the clock is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from provision.model.partitions import Bounds, Interval, Merge, PartitionSet, TableWindows, Window, WindowState
from provision.partitions.calendar import ago, shifted, start_of

SHORT = 3  # a table runs out when no more than one part in so many of `ahead` is left


class Coverage(NamedTuple):
    """What the windows hold: `until` is the first moment from now on that no window takes, None for never.

    `gaps` lie within the span of the set; `short`: what is left ahead is less than a third of what the set asks for.
    """

    until: datetime | None
    gaps: tuple[Bounds, ...]
    short: bool


def span(wanted: PartitionSet, now: datetime, since: datetime | None = None) -> Bounds:
    """From where to where there should be windows; `since` asks for older ones than `behind` does.

    Nothing is made that `retain` would remove at once.
    """
    present = start_of(now, wanted.interval)
    first = shifted(present, wanted.interval, -wanted.behind)
    if since is not None:
        first = min(first, start_of(since, wanted.interval))
    if wanted.retain is not None:
        first = max(first, start_of(ago(now, wanted.retain), wanted.interval))
    return Bounds(first, shifted(present, wanted.interval, wanted.ahead + 1))


def missing(
    wanted: PartitionSet, there: Sequence[Bounds], now: datetime, since: datetime | None = None
) -> list[Bounds]:
    """The windows to make, in order: each lies beside those that are there, and none overlaps another.

    Where one that was made by hand begins or ends within a window, what is left of the window is made.
    """
    windows, exact = _windows(span(wanted, now, since), wanted.interval, wanted.merge, now)
    left = exact.difference(there)  # nearly every window is there just so, and to look for what overlaps takes longer
    absent = [each for each in windows if each in left] if left else ()
    return [each for window in absent for each in _without(window, there)]


def following(
    wanted: PartitionSet, there: Sequence[Bounds], now: datetime, since: datetime | None = None
) -> list[Bounds]:
    """As `missing`, for who knows windows of one length alone: each goes on from one that is there, wherever it begins.

    What is left between two that is shorter than a window stays a gap.
    """
    asked = span(wanted, now, since)
    made = list[Bounds]()
    for start, end in _without(asked, there):
        assert start is not None
        assert end is not None
        if any(each.end == start and shifted(start, wanted.interval, 0) == start for each in there):
            made += _onwards(start, end, wanted.interval)
        elif any(each.start == end and shifted(end, wanted.interval, 0) == end for each in there):
            made += _backwards(start, end, wanted.interval)
        else:
            made += _onwards(start_of(start, wanted.interval), end, wanted.interval)
    return [each for each in made if not any(each.overlaps(other) for other in there)]


def _onwards(start: datetime, end: datetime, interval: Interval) -> Iterator[Bounds]:
    """Windows from `start` on, until `end` is in one."""
    while start < end:
        yield Bounds(start, start := shifted(start, interval))


def _backwards(start: datetime, end: datetime, interval: Interval) -> list[Bounds]:
    """Windows before `end`, in order, until `start` is in one."""
    found = list[Bounds]()
    while end > start:
        end, after = shifted(end, interval, -1), end
        found.append(Bounds(end, after))
    return found[::-1]


def over(wanted: PartitionSet, windows: Sequence[Window], now: datetime) -> list[Window]:
    """Those that ended longer ago than rows are kept, oldest first; one without an end is never over."""
    if wanted.retain is None:
        return []
    kept_from = ago(now, wanted.retain)
    there = [each for each in windows if each.state is not WindowState.RETIRED]
    found = [each for each in there if each.bounds.end is not None and each.bounds.end <= kept_from]
    return sorted(found, key=_by_end)


def mergeable(wanted: PartitionSet, windows: Sequence[Window], now: datetime) -> list[tuple[Bounds, list[Window]]]:
    """Each coarser window that is old enough, with the two or more that lie in it, oldest first.

    None that a window reaches into from outside: it could not be made.
    """
    if wanted.merge is None:
        return []
    into = Interval(1, wanted.merge.into)
    groups: dict[Bounds, list[Window]] = {}
    for each in windows:
        if each.bounds.start is not None and each.bounds.end is not None:
            start = start_of(each.bounds.start, into)
            groups.setdefault(Bounds(start, shifted(start, into)), []).append(each)
    old = ago(now, wanted.merge.age)
    return [
        (bounds, sorted(parts, key=_by_end))
        for bounds, parts in sorted(groups.items())
        if len(parts) > 1
        and bounds.end is not None
        and bounds.end <= old
        and all(each.bounds.within(bounds) for each in windows if each.bounds.overlaps(bounds))
    ]


def coverage(wanted: PartitionSet, found: TableWindows) -> Coverage:
    """What the attached windows take of what the set asks for."""
    if found.unbounded:
        return Coverage(None, (), short=False)
    there = [each.bounds for each in found.attached]
    asked = span(wanted, found.now)
    assert asked.end is not None
    _, exact = _windows(asked, wanted.interval, wanted.merge, found.now)
    if exact.issubset(there):
        return Coverage(_onward(asked.end, there), (), short=False)
    until: datetime | None = found.now
    for each in sorted(there, key=lambda each: each.start or datetime.min.replace(tzinfo=UTC)):
        if until is not None and (each.start is None or each.start <= until) and _after(each.end, until):
            until = each.end
    short = until is not None and until < asked.end and _left(wanted, found.now, until) * SHORT <= wanted.ahead
    return Coverage(until, tuple(_without(asked, there)), short)


def _onward(end: datetime, there: Sequence[Bounds]) -> datetime | None:
    """Up to when windows that begin where another ends go on from `end`."""
    ends = {each.start: each.end for each in there if each.start is not None and each.start >= end}
    until: datetime | None = end
    while until in ends:
        until = ends[until]
    return until


@lru_cache(maxsize=16)  # tables of one interval, which one clock tells the time, have the same windows
def _windows(
    asked: Bounds, interval: Interval, merge: Merge | None, now: datetime
) -> tuple[tuple[Bounds, ...], frozenset[Bounds]]:
    """The windows of the span: coarser ones where all of it is old enough to be merged. In order, and as a set."""
    first, last = asked
    assert first is not None
    assert last is not None
    made = list[Bounds]()
    if merge is not None:
        coarse = Interval(1, merge.into)
        old = start_of(ago(now, merge.age), coarse)
        while shifted(start_of(first, coarse), coarse) <= old:
            end = shifted(start_of(first, coarse), coarse)
            made.append(Bounds(first, end))
            first = end
    while first < last:
        end = shifted(start_of(first, interval), interval)
        made.append(Bounds(first, end))
        first = end
    return tuple(made), frozenset(made)


def _without(window: Bounds, there: Sequence[Bounds]) -> list[Bounds]:
    """What of a window is in none of those that are there."""
    start, end = window
    assert start is not None
    assert end is not None
    near = [each for each in there if each.overlaps(window)]
    taken = sorted((each.start or start, each.end or end) for each in near)
    edges = [(start, start), *((max(low, start), min(high, end)) for low, high in taken), (end, end)]
    left, reached = list[Bounds](), start
    for (_, before), (low, _) in pairwise(edges):
        reached = max(reached, before)
        if reached < low:
            left.append(Bounds(reached, low))
    return left


def _left(wanted: PartitionSet, now: datetime, until: datetime) -> int:
    """How many whole windows lie between the present one and `until`."""
    end, left = shifted(start_of(now, wanted.interval), wanted.interval), 0
    while (end := shifted(end, wanted.interval)) <= until:
        left += 1
    return left


def _after(end: datetime | None, moment: datetime) -> bool:
    return end is None or end > moment


def _by_end(window: Window) -> tuple[bool, datetime | None]:
    return window.bounds.end is None, window.bounds.end
