"""Where a data check looks in InfluxDB, and what it asks there in either language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Protocol

Record = Mapping[str, Any]
"""One row of an answer: names and values, tags among them; `time` in nanoseconds since 1970."""
Ask = Callable[[str], Iterator[Record]]
Test = tuple[str, float]
"""What holds for a bad value: `<`, `<=`, `>` or `>=` and a bound, or LONGER and a count of characters; any of them."""
LONGER = "longer than"


class FieldSort(StrEnum):
    """What a field holds, as people call it."""

    NUMBER = "a number"
    TEXT = "text"
    TRUTH = "true or false"


@dataclass(frozen=True, slots=True)
class Span:
    """A measurement in a tier from `start` to before `stop`, nanoseconds since 1970 or None, with these tags alone."""

    database: str
    tier: str
    measurement: str
    start: int | None = None
    stop: int | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


class Language(Protocol):
    """InfluxQL or Flux. What it is asked raises as the server does."""

    def fields(self, span: Span) -> Mapping[str, FieldSort]:
        """Every field, and what it holds; empty where there is no point."""

    def tags(self, span: Span) -> Sequence[str]: ...

    def counts(self, span: Span, fields: Sequence[str]) -> Mapping[str, int]:
        """How many points have each field."""

    def extremes(self, span: Span, fields: Sequence[str]) -> Mapping[str, tuple[float, float]]:
        """The least and the greatest value of each field."""

    def outside(self, span: Span, name: str, tests: Sequence[Test]) -> int:
        """How many values of a field are bad."""

    def rows(
        self, span: Span, name: str, tests: Sequence[Test], columns: Sequence[str], limit: int
    ) -> Iterator[Record]:
        """A few points that have the field, bad ones where there are tests: `time`, and of the columns what it can."""

    def windows(self, span: Span, every: int, per: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
        """Every window of so many seconds that holds a point: the values of the tags, and its begin."""

    def sums(
        self, span: Span, call: str, every: int, per: Sequence[str]
    ) -> Iterator[tuple[tuple[str, ...], int, float]]:
        """A call such as `count(value)` over each window in which it has a value: tags, begin, and that value."""

    def newest(self, span: Span, fields: Sequence[str]) -> int | None:
        """When the newest point is, in nanoseconds since 1970."""


def literal(bound: float) -> str:
    """A number as both languages read it: they know no exponent."""
    return f"{Decimal(repr(bound)):f}"
