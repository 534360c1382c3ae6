"""What AQL values are to each other: truth, order, equality, numbers and text."""

from __future__ import annotations

import json
from typing import Any


def true(value: Any) -> bool:
    """Null, false, 0 and "" are not; an empty array is."""
    if isinstance(value, list | dict):
        return True
    return bool(value)


def kind(value: Any) -> int:
    """The place of a type: null < bool < number < string < array < object."""
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    for place, types in ((2, (int, float)), (3, str), (4, list)):
        if isinstance(value, types):
            return place
    return 5


def order(value: Any) -> tuple[Any, ...]:
    """A sort key. Strings are compared by code point, where the server has ICU's rules."""
    place = kind(value)
    if place == 4:
        return place, [order(each) for each in value]
    if place == 5:
        names = sorted(value)
        return place, [(order(name), order(value[name])) for name in names]
    return place, (0 if value is None else value)


def equal(left: Any, right: Any) -> bool:
    return order(left) == order(right)


def number(value: Any) -> int | float | None:
    """The number that the server makes of a value in arithmetic; None where it makes null."""
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, int | float):
        return value
    if isinstance(value, list):
        return number(value[0]) if len(value) == 1 else (0 if not value else None)
    if isinstance(value, str):
        try:
            return float(value) if any(sign in value for sign in ".eE") else int(value)
        except ValueError:
            return 0
    return None


def text(value: Any) -> str:
    """The string that the server makes of a value."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
