"""Times in nanoseconds since 1970 and durations, as Flux has them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime

NANOSECONDS = {
    "w": 604_800 * 10**9,
    "d": 86_400 * 10**9,
    "h": 3_600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 10**3,
    "µs": 10**3,
    "ns": 1,
}
_PART = re.compile(r"(\d+)(mo|ms|us|µs|ns|y|w|d|h|m|s)")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d))?")


class Time(int):
    """Nanoseconds since 1970."""


@dataclass(frozen=True, slots=True)
class Duration:
    """Months have no fixed length, so they are kept apart."""

    months: int
    nanoseconds: int

    def __neg__(self) -> Duration:
        return Duration(-self.months, -self.nanoseconds)

    @property
    def positive(self) -> bool:
        return self.months > 0 or self.nanoseconds > 0

    def after(self, time: int) -> Time:
        """The time this much later."""
        if not self.months:
            return Time(time + self.nanoseconds)
        at = datetime.fromtimestamp(time // 10**9, UTC)
        year, month = divmod(at.year * 12 + at.month - 1 + self.months, 12)
        day = min(at.day, [31, 29 if year % 4 == 0 else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month])
        moved = at.replace(year=year, month=month + 1, day=day)
        return Time(int(moved.timestamp()) * 10**9 + time % 10**9 + self.nanoseconds)


def duration(text: str) -> Duration:
    """A duration as Flux writes it: 1h30m. Raises ValueError."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text} is no duration")
    months = sum(int(number) * {"mo": 1, "y": 12}.get(unit, 0) for number, unit in parts)
    return Duration(months, sum(int(number) * NANOSECONDS.get(unit, 0) for number, unit in parts))


def time(text: str) -> Time:
    """A time as RFC 3339 writes it, or a date. Raises ValueError."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is no time")
    date, clock, fraction, zone = match.groups()
    at = datetime.fromisoformat(f"{date}T{clock or '00:00:00'}{(zone or 'Z').replace('Z', '+00:00')}")
    return Time(int(at.timestamp()) * 10**9 + int((fraction or "0").ljust(9, "0")))


def shown(value: int) -> str:
    """A time as RFC 3339 writes it, with as many digits as it needs."""
    seconds, rest = divmod(int(value), 10**9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}{fraction}Z"
