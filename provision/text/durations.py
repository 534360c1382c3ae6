"""Durations as documents write them: whole numbers of one unit."""

from __future__ import annotations

import re
from typing import Final

DURATION = r"^[1-9][0-9]*(s|m|h|d|w)$"
_DURATION = re.compile(r"([1-9][0-9]*)([smhdw])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def seconds(duration: int | str) -> int:
    """Seconds of `900`, `15m`, `2h`, `1d`, `2w`. Raises ValueError for anything else."""
    if isinstance(duration, int):
        return duration
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"{duration} is no duration")
    return int(match[1]) * _SECONDS[match[2]]
