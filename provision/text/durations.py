"""Durations as people and servers write them."""

from __future__ import annotations

import re
from typing import Final

DURATION = r"^[1-9][0-9]*(s|m|h|d|w)$"
_DURATION = re.compile(r"([1-9][0-9]*)(s|m|h|d|w)")
_TYPED = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_PART = re.compile(r"(\d+)(ns|ms|u|µ|s|m|h|d|w)")
_SUM = re.compile(rf"(?:{_PART.pattern})+")
SECOND: Final = 10**9
_NANOSECONDS: Final = {
    "ns": 1,
    "u": 10**3,
    "µ": 10**3,
    "ms": 10**6,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3600 * SECOND,
    "d": 86400 * SECOND,
    "w": 604800 * SECOND,
}


def seconds(duration: int | str) -> int:
    """Seconds of a document's `900`, `15m`, `2h`, `1d`, `2w`. Raises ValueError for anything else."""
    if isinstance(duration, int):
        return duration
    match = _matched(_DURATION, duration)
    return int(match[1]) * _NANOSECONDS[match[2]] // SECOND


def typed(text: str) -> float:
    """Seconds of an option's `500ms`, `1.5h` or bare number of seconds. Raises ValueError for anything else."""
    match = _matched(_TYPED, text.strip())
    return float(match[1]) * _NANOSECONDS[match[2] or "s"] / SECOND


def nanoseconds(text: str) -> int:
    """Nanoseconds of a server's `90m`, `1h30m`, `61320h0m0s`. Raises ValueError for anything else."""
    _matched(_SUM, text)
    return sum(int(amount) * _NANOSECONDS[unit] for amount, unit in _PART.findall(text))


def _matched(pattern: re.Pattern[str], text: str) -> re.Match[str]:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(f"{text} is no duration")
    return match
