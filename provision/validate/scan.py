"""Counts bad rows while all rows of a table go by once: for stores that cannot count them by themselves."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from provision.errors import ConfigError, FailedError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.text.nearest import near
from provision.text.plain import MASKED, plain
from provision.validate.columns import columns

# Samples are collected while rows go by, since a second scan would cost as much; `--sample` asks for no more.
KEPT = 1000
Bad = Callable[[Mapping[str, Any]], bool]


class Deadline:
    """The end of what may take `scope.seconds` in all."""

    def __init__(self, scope: Scope) -> None:
        self._seconds = scope.seconds
        self._end = time.monotonic() + scope.seconds

    def check(self) -> float:
        """The seconds that are left, more than 0. Raises FailedError (check-timeout) when none are."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.over()
        return left

    def over(self) -> FailedError:
        what = f"a statement took longer than {self._seconds:g} s"
        return FailedError("check-timeout", what, fix="raise --timeout, or narrow with --since")


class Watch:
    """One check while rows go by: how many were bad of how many, and the first few as they may be shown."""

    def __init__(self, check: Check, bad: Bad, usual: Sequence[str]) -> None:
        self.check, self.rows = check, list[Row]()
        self.bad = self.total = 0
        self._is_bad, self._usual = bad, usual

    def see(self, row: Mapping[str, Any]) -> None:
        self.total += 1
        if self._is_bad(row):
            self.bad += 1
            if len(self.rows) < KEPT:
                self.rows.append(shown(self.check, row, self._usual))

    def tally(self, message: str, begun: float) -> Tally:
        return Tally(self.bad, self.total, message, since(begun))


class Samples:
    """The bad rows that the last tally of each check kept."""

    def __init__(self) -> None:
        self._rows: dict[tuple[object, ...], Sequence[Row]] = {}

    def keep(self, table: Table, check: Check, scope: Scope, rows: Sequence[Row]) -> None:
        self._rows[_key(table, check, scope)] = rows

    def of(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        return self._rows.get(_key(table, check, scope), ())[:limit]


def _key(table: Table, check: Check, scope: Scope) -> tuple[object, ...]:
    return table.name, table.place, check.name, check.place, scope


def since(begun: float) -> int:
    """Milliseconds since a moment of time.monotonic."""
    return round((time.monotonic() - begun) * 1000)


def shown(check: Check, row: Mapping[str, Any], usual: Sequence[str]) -> Row:
    """The check's columns of a row, or the usual ones, as plain JSON values."""
    names = check.sample or usual
    return {name: MASKED if name in check.mask else plain(row.get(name)) for name in names}


def unknown_columns(
    table: Table, known: Sequence[str], used: Callable[[Check], Sequence[str]], *others: tuple[str | None, str]
) -> Iterator[ConfigError]:
    """An error for every column that a table or its checks name, `others` with their places, and that is not known."""
    named = [(column, place) for column, place in others if column is not None]
    named += [(column, each.place) for each in table.checks for column in (*used(each), *each.sample, *each.mask)]
    for column, place in dict.fromkeys(named):
        if column not in known:
            what = f"{table.name} has no column {column}"
            yield ConfigError("unknown-column", what, where=place, fix=near(column, known, "its columns"))


def narrowing(table: Table) -> tuple[tuple[str | None, str], ...]:
    """The columns by which a table is narrowed to a scope, with the place that names them."""
    return (table.time, table.place), (table.tenant, table.place)


def of_row(check: Check) -> tuple[str, ...]:
    """The columns that a check of one row by itself looks at."""
    body: Any = check.body
    if isinstance(body, Mapping):
        return columns(body.get("column"))
    return columns(body)


def _missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _not_null(body: Any) -> Bad:
    names = columns(body)
    return lambda row: any(_missing(row.get(name)) for name in names)


def _range(body: Any) -> Bad:
    name, null = body["column"], body.get("allow_null", False)
    tests = [(sign, body[key]) for key, sign in _SIGNS.items() if key in body]

    def bad(row: Mapping[str, Any]) -> bool:
        value = row.get(name)
        if value is None:
            return not null
        if isinstance(value, float) and not math.isfinite(value):
            return True
        return not all(_alike(value, bound) and sign(value, bound) for sign, bound in tests)

    return bad


def _accepted(body: Any) -> Bad:
    name, null, values = body["column"], body.get("allow_null", False), body["values"]

    def bad(row: Mapping[str, Any]) -> bool:
        value = row.get(name)
        return not null if value is None else not any(_alike(value, each) and value == each for each in values)

    return bad


def _max_length(body: Any) -> Bad:
    name, most = body["column"], body["max"]
    return lambda row: any(len(text) > most for text in _texts(row.get(name)))


def _texts(value: Any) -> Iterator[str]:
    """The text that a value is, or those in a list, however deep."""
    if isinstance(value, str):
        yield value
    for each in value if isinstance(value, list) else ():
        yield from _texts(each)


def _alike(value: Any, bound: Any) -> bool:
    """Whether both are numbers, or both texts, or both truth values."""
    if isinstance(value, bool) or isinstance(bound, bool):
        return isinstance(value, bool) and isinstance(bound, bool)
    if isinstance(value, str) or isinstance(bound, str):
        return isinstance(value, str) and isinstance(bound, str)
    return isinstance(value, int | float) and isinstance(bound, int | float)


_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    "min": lambda value, bound: bool(value >= bound),
    "max": lambda value, bound: bool(value <= bound),
    "above": lambda value, bound: bool(value > bound),
    "below": lambda value, bound: bool(value < bound),
}
ROWS: Mapping[str, Callable[[Any], Bad]] = {
    "not_null": _not_null,
    "not_null_share": lambda body: _not_null(body["column"]),
    "range": _range,
    "accepted_values": _accepted,
    "max_length": _max_length,
}
"""Kinds of check that look at one row by itself → what makes of a body the test for a bad row."""


def moment(value: object) -> datetime | None:
    """The moment that a text in ISO 8601 names, UTC where it has no offset; None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
