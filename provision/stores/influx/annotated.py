"""Points out of the annotated CSV of a Flux query; the client's own records round their times to microseconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from provision.stores.influx.server import Point

_START = datetime(1970, 1, 1, tzinfo=UTC)
_BILLION = 10**9


def time(nanoseconds: int) -> str:
    """A time as Flux writes it, to the nanosecond."""
    whole, rest = divmod(nanoseconds, _BILLION)
    return f"{_START + timedelta(seconds=whole):%Y-%m-%dT%H:%M:%S}.{rest:09}Z"


def nanoseconds(text: str) -> int:
    """Nanoseconds since 1970 of a time as `time` writes it, its fraction as long as need be. Raises ValueError."""
    head, _, fraction = text.removesuffix("Z").partition(".")
    whole = datetime.fromisoformat(f"{head}+00:00") - _START
    return (whole.days * 86400 + whole.seconds) * _BILLION + int(fraction.ljust(9, "0") or 0)


def since_1970(moment: datetime | None) -> int:
    """Nanoseconds since 1970 of a moment as the client gives it; 0 for none."""
    if moment is None:
        return 0
    passed = moment - _START
    return (passed.days * 86400 + passed.seconds) * _BILLION + passed.microseconds * 1000


def points(lines: Iterable[Sequence[str]]) -> list[Point]:
    """The points that the rows of a query's CSV hold, in the order of their times: time and fields."""
    found: dict[int, dict[str, Any]] = {}
    types: Sequence[str] = ()
    names: Sequence[str] = ()
    for line in lines:
        if line and line[0].startswith("#"):
            # The annotations of a table come before its names.
            types = line if line[0] == "#datatype" else types
            names = ()
        elif not names:
            names = line
        elif line:
            row = dict(zip(names, zip(types, line, strict=True), strict=True))
            _, at = row["_time"]
            _, field = row["_field"]
            found.setdefault(nanoseconds(at), {})[field] = _value(*row["_value"])
    return sorted(found.items())


def as_written(value: object) -> object:
    """A value without what CSV did to it: the server writes every line break of a text as two characters."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _value(kind: str, text: str) -> object:
    return int(text) if kind in ("long", "unsignedLong") else as_written(text)
