"""Where windows begin and end: always in UTC, whatever zone the machine or the server is in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from provision.model.partitions import Bounds, Interval, Unit

# Windows of hours, days and weeks are counted from a Monday, those of months from the year 0.
ORIGIN = datetime(2000, 1, 3, tzinfo=UTC)
_LASTS = {Unit.HOUR: timedelta(hours=1), Unit.DAY: timedelta(days=1), Unit.WEEK: timedelta(weeks=1)}
_MONTHS = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12}


def start_of(moment: datetime, interval: Interval) -> datetime:
    """The start of the window that the moment is in."""
    moment = moment.astimezone(UTC)
    if interval.unit in _LASTS:
        length = _LASTS[interval.unit] * interval.number
        return ORIGIN + (moment - ORIGIN) // length * length
    months = interval.number * _MONTHS[interval.unit]
    return _month((moment.year * 12 + moment.month - 1) // months * months)


def shifted(start: datetime, interval: Interval, windows: int = 1) -> datetime:
    """The start of a later window, or with a negative number of an earlier one."""
    if interval.unit in _LASTS:
        return start + _LASTS[interval.unit] * interval.number * windows
    return _month(start.year * 12 + start.month - 1 + interval.number * _MONTHS[interval.unit] * windows)


def ago(moment: datetime, age: Interval) -> datetime:
    """The moment so long before; where the month is too short for its day, the month's last."""
    if age.unit in _LASTS:
        return moment - _LASTS[age.unit] * age.number
    first = _month(moment.year * 12 + moment.month - 1 - age.number * _MONTHS[age.unit])
    last = (_month(first.year * 12 + first.month) - timedelta(days=1)).day
    return moment.replace(year=first.year, month=first.month, day=min(moment.day, last))


def window_name(table: str, bounds: Bounds) -> str:
    """`ml_predictions_p2026_03`: names sort as their windows do. At most 63 bytes, the most that PostgreSQL keeps."""
    assert bounds.start is not None
    return _named(table, _suffix(bounds.start, bounds.end))


def exact_name(table: str, start: datetime) -> str:
    """The name of a window where that of its month or day is taken: the moment that it begins at."""
    return _named(table, f"_p{start:%Y_%m_%d_%H%M%S}" + (f"_{start:%f}" if start.microsecond else ""))


def first_names(table: str, end: datetime) -> tuple[str, str]:
    """Names of a window of all that is before `end`, which sort before those of the others: one, and a longer one."""
    short = _suffix(end, end + timedelta(days=31)).removeprefix("_p")
    return _named(table, f"_before_{short}"), _named(table, f"_before_{end:%Y_%m_%d_%H%M%S}")


def part_name(table: str, window: str, part: str) -> str:
    """The name of a part of a window, which begins with as much of the window's as fits."""
    stem = next(table[:size] for size in range(len(table), -1, -1) if window.startswith(table[:size]))
    return _named(stem, f"{window.removeprefix(stem)}_{part}")


def _named(table: str, suffix: str) -> str:
    return f"{table.encode()[: 63 - len(suffix.encode())].decode(errors='ignore')}{suffix}"


def _suffix(start: datetime, end: datetime | None) -> str:
    """As short as says where it begins: the year alone, where it is one of whole years."""
    if start.hour or start.minute or start.second or start.microsecond:
        whole = not (start.minute or start.second or start.microsecond)
        return f"_p{start:%Y_%m_%d_%H}" if whole else f"_p{start:%Y_%m_%d_%H%M%S_%f}"
    length = end - start if end is not None else timedelta(0)
    if length < timedelta(days=1):
        return f"_p{start:%Y_%m_%d_%H}"
    if start.day > 1 or length < timedelta(days=28):
        return f"_p{start:%Y_%m_%d}"
    return f"_p{start:%Y}" if start.month == 1 and length >= timedelta(days=365) else f"_p{start:%Y_%m}"


def _month(number: int) -> datetime:
    return datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC)
