"""Which time a partition of ClickHouse holds: read from the function of its key and its value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from provision.model.partitions import Bounds, Interval, Unit
from provision.partitions.calendar import shifted

FUNCTIONS: Mapping[str, tuple[str, Unit]] = {
    "toYear": ("%Y", Unit.YEAR),
    "toYYYYMM": ("%Y%m", Unit.MONTH),
    "toYYYYMMDD": ("%Y%m%d", Unit.DAY),
    "toDate": ("%Y-%m-%d", Unit.DAY),
    "toMonday": ("%Y-%m-%d", Unit.WEEK),
    "toStartOfMonth": ("%Y-%m-%d", Unit.MONTH),
    "toStartOfQuarter": ("%Y-%m-%d", Unit.QUARTER),
    "toStartOfYear": ("%Y-%m-%d", Unit.YEAR),
    "toStartOfDay": ("%Y-%m-%d %H:%M:%S", Unit.DAY),
    "toStartOfHour": ("%Y-%m-%d %H:%M:%S", Unit.HOUR),
}
"""Function of a key → how its values are written, and how long its partitions are."""
_TOKEN = re.compile(r"'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|.", re.DOTALL)
_KEY = re.compile(r"(\w+)\(`?(\w+)`?\)")


class Key(NamedTuple):
    """What of a key is of time: function and column, and at which place of a tuple; 0 where it is none."""

    function: str
    column: str
    place: int = 0


def key_of(text: str) -> Key | None:
    """Of a key such as `toYYYYMM(timestamp)`, or a tuple that one of these is in; None for any other."""
    found = [
        Key(match[1], match[2], place)
        for place, each in enumerate(elements(text))
        if (match := _KEY.fullmatch(each)) is not None and match[1] in FUNCTIONS
    ]
    return found[0] if len(found) == 1 else None


def elements(text: str) -> list[str]:
    """Those of a tuple, of a key or of a value as the server writes them; the text itself where it is none."""
    if not (text.startswith("(") and text.endswith(")")):
        return [text]
    found, depth = [""], 0
    for token in _TOKEN.findall(text[1:-1]):
        depth += (token in "([{") - (token in ")]}")
        if token == "," and depth == 0:
            found.append("")
        else:
            found[-1] += token
    return [each.strip() for each in found]


def zone_of(type_: str, server: str) -> tzinfo | None:
    """The zone that a column's days begin in: its own, else the server's; None for one that this machine lacks."""
    named = re.search(r"DateTime(?:64)?\((?:\d+, )?'([^']+)'\)", type_)
    name = "UTC" if type_ in ("Date", "Date32") else named[1] if named else server
    if name in ("UTC", "Etc/UTC"):
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # most columns are of UTC

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def bounds(function: str, value: str, zone: tzinfo) -> Bounds:
    """Of a partition's value, as `system.parts` writes it, in UTC. Raises ValueError for one that is no time."""
    form, unit = FUNCTIONS[function]
    start = datetime.strptime(value.strip("'"), form).replace(tzinfo=UTC)
    end = shifted(start, Interval(1, unit))
    return Bounds(*(each.replace(tzinfo=zone).astimezone(UTC) for each in (start, end)))
