"""Which keys a pattern means: globs with `*` alone, and key families with `{placeholders}` between colons."""

from __future__ import annotations

import re
from functools import cache

PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")


def overlap(one: str, other: str) -> bool:
    """True when some text matches both globs."""

    @cache
    def meet(i: int, j: int) -> bool:
        if i == len(one) and j == len(other):
            return True
        if i < len(one) and one[i] == "*":
            return meet(i + 1, j) or (j < len(other) and meet(i, j + 1))
        if j < len(other) and other[j] == "*":
            return meet(i, j + 1) or (i < len(one) and meet(i + 1, j))
        return i < len(one) and j < len(other) and one[i] == other[j] and meet(i + 1, j + 1)

    return meet(0, 0)


def families_overlap(one: str, other: str) -> bool:
    """True when one key could belong to both families. A placeholder holds no colon."""
    here, there = one.split(":"), other.split(":")
    return len(here) == len(there) and all(
        overlap(PLACEHOLDER.sub("*", a), PLACEHOLDER.sub("*", b)) for a, b in zip(here, there, strict=True)
    )


def renamed(key: str, old: str, new: str) -> str:
    """What `key`, which matches `old`, is called under `new`: each `*` of `new` takes what that of `old` matched."""
    match = re.fullmatch("(.*?)".join(re.escape(part) for part in old.split("*")), key, re.DOTALL)
    if match is None:
        raise ValueError(f"{key} does not match {old}")
    parts = new.split("*")
    return parts[0] + "".join(found + part for found, part in zip(match.groups(), parts[1:], strict=True))
