"""What will become of a table's windows, from how they are now. Pure: the clock is that of what was found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from provision.model.partitions import Interval, PartitionSet, TableWindows, Window
from provision.partitions.calendar import shifted, start_of
from provision.partitions.planner import mergeable, over

MONTH = timedelta(days=365.25 / 12)
SEEN = timedelta(days=92)  # growth is that of the windows that ended in so long a time


class Part(NamedTuple):
    """So many windows, with what is in them."""

    windows: int
    rows: int
    bytes: int


class Forecast(NamedTuple):
    """`rows` and `bytes` are of all attached windows, `monthly` what comes in a month; None: no window ended lately.

    `retires` leave within a month, `merges` would be merged by now, `odd` are the windows of neither length that the
    set names. `in_a_year`: bytes then, if it goes on so. `sized`: whether the server tells sizes.
    """

    rows: int
    bytes: int
    monthly: Part | None
    retires: Part
    merges: int
    odd: tuple[Window, ...]
    in_a_year: int | None
    sized: bool


def forecast(wanted: PartitionSet, found: TableWindows) -> Forecast:
    """Of one table, whose windows were looked at with their sizes."""
    now, windows = found.now, found.attached
    whole = _part(windows)
    sized = any(each.bytes or each.rows is not None for each in windows)
    monthly = _monthly(windows, now) if sized else None
    in_a_year = None
    if monthly is not None:
        leaving = _part(over(wanted, windows, now + MONTH * 12))
        in_a_year = max(whole.bytes + monthly.bytes * 12 - leaving.bytes, 0)
    return Forecast(
        rows=whole.rows,
        bytes=whole.bytes,
        monthly=monthly,
        retires=_part(over(wanted, windows, now + MONTH)),
        merges=sum(len(parts) for _, parts in mergeable(wanted, windows, now)),
        odd=tuple(each for each in windows if not _regular(wanted, each)),
        in_a_year=in_a_year,
        sized=sized,
    )


def _monthly(windows: Sequence[Window], now: datetime) -> Part | None:
    """Of the windows with both ends that ended lately: rows and bytes a month. `windows` of it: how many there were."""
    seen, lasted = list[Window](), timedelta(0)
    for each in windows:
        start, end = each.bounds
        if start is not None and end is not None and now - SEEN < end <= now:
            seen.append(each)
            lasted += end - start
    if not lasted:
        return None
    part, months = _part(seen), lasted / MONTH
    return Part(part.windows, round(part.rows / months), round(part.bytes / months))


def _part(windows: Sequence[Window]) -> Part:
    return Part(len(windows), sum(each.rows or 0 for each in windows), sum(each.bytes for each in windows))


def _regular(wanted: PartitionSet, window: Window) -> bool:
    """Whether it is of a length that the set asks for."""
    start, end = window.bounds
    if start is None or end is None:
        return False
    lengths = [wanted.interval, *([Interval(1, wanted.merge.into)] if wanted.merge else [])]
    return any(start_of(start, each) == start and shifted(start, each) == end for each in lengths)
