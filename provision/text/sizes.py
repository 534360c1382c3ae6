"""Sizes as people write them."""

from __future__ import annotations

import re
from typing import Final

SIZE: Final = r"^[1-9][0-9]*(kB|MB|GB)$"
_SIZE = re.compile(r"([1-9][0-9]*)(kB|MB|GB)")
_UNITS: Final = {"kB": 2**10, "MB": 2**20, "GB": 2**30}


def size(text: str) -> int:
    """Bytes of `64MB`. Raises ValueError for anything else."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(text)
    return int(match[1]) * _UNITS[match[2]]
