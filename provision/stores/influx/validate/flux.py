"""What data checks ask of InfluxDB 2.x; no table ever holds values of two fields, since their types may differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provision.stores.influx import annotated
from provision.stores.influx.migrate import flux
from provision.stores.influx.migrate.model import shown
from provision.stores.influx.validate.place import LONGER, Ask, FieldSort, Record, Span, Test, literal

# What a time in nanoseconds can be, in whole years.
_FIRST, _LAST = "1678-01-01T00:00:00Z", "2262-01-01T00:00:00Z"
_OWN = ("result", "table", "_start", "_stop", "_time", "_value", "_field", "_measurement", "time")


class CheckFlux:
    """`provision.stores.influx.validate.place.Language`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def fields(self, span: Span) -> Mapping[str, FieldSort]:
        text = f'{_from(span)} |> last() |> keep(columns: ["_field", "_value"]) |> group(columns: ["_field"])'
        return {str(row["_field"]): _sort(row["_value"]) for row in self._ask(f"{text} |> limit(n: 1)")}

    def tags(self, span: Span) -> Sequence[str]:
        text = f'{_from(span)} |> first() |> drop(columns: ["_value"]) |> group()'
        return list(dict.fromkeys(name for row in self._ask(text) for name in row if name not in _OWN))

    def counts(self, span: Span, fields: Sequence[str]) -> Mapping[str, int]:
        text = f'{_from(span)} |> group(columns: ["_field"]) |> count()'
        found = {str(row["_field"]): int(row["_value"]) for row in self._ask(text)} if fields else {}
        return {each: found.get(each, 0) for each in fields}

    def extremes(self, span: Span, fields: Sequence[str]) -> Mapping[str, tuple[float, float]]:
        if not fields:
            return {}
        low, high = (
            {
                str(row["_field"]): float(row["_value"])
                for row in self._ask(f'{_from(span, _one_of(fields))} |> group(columns: ["_field"]) |> {function}()')
            }
            for function in ("min", "max")
        )
        return {each: (low[each], high[each]) for each in fields if each in low and each in high}

    def outside(self, span: Span, name: str, tests: Sequence[Test]) -> int:
        text = f"{_from(span, _one_of([name]), _any(tests))} |> group() |> count()"
        return sum(int(row["_value"]) for row in self._ask(text))

    def rows(
        self, span: Span, name: str, tests: Sequence[Test], _columns: Sequence[str], limit: int
    ) -> Iterator[Record]:
        tested = [_any(tests)] if tests else []
        text = f"{_from(span, _one_of([name]), *tested)} |> group() |> limit(n: {limit:d})"
        for row in self._ask(text):
            yield {**row, name: row["_value"]}

    def windows(self, span: Span, every: int, per: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
        columns = ", ".join(flux.text(each) for each in ("_field", *per))
        window = f'aggregateWindow(every: {shown(every)}, fn: count, createEmpty: false, timeSrc: "_start")'
        for row in self._ask(f"{_from(span)} |> group(columns: [{columns}]) |> {window}"):
            yield tuple(str(row.get(each) or "") for each in per), int(row["time"])

    def sums(
        self, span: Span, call: str, every: int, per: Sequence[str]
    ) -> Iterator[tuple[tuple[str, ...], int, float]]:
        function, name = call.removesuffix(")").split("(", 1)
        # A count is of values of any type; others are numbers, whose types may differ from shard to shard.
        alike = "" if function == "count" else " |> toFloat()"
        columns = ", ".join(flux.text(each) for each in per)
        window = f'aggregateWindow(every: {shown(every)}, fn: {function}, createEmpty: false, timeSrc: "_start")'
        asked = f"{_from(span, _one_of([name]))}{alike} |> group(columns: [{columns}]) |> {window}"
        for row in self._ask(asked):
            yield tuple(str(row.get(each) or "") for each in per), int(row["time"]), float(row["_value"])

    def newest(self, span: Span, _fields: Sequence[str]) -> int | None:
        text = f'{_from(span)} |> last() |> keep(columns: ["_time"]) |> group() |> sort(columns: ["_time"], desc: true)'
        found = next(self._ask(f"{text} |> limit(n: 1)"), None)
        return None if found is None else int(found["time"])


def _sort(value: object) -> FieldSort:
    if isinstance(value, bool):
        return FieldSort.TRUTH
    # An empty text comes as nothing at all.
    return FieldSort.NUMBER if isinstance(value, int | float) else FieldSort.TEXT


def _from(span: Span, *more: str) -> str:
    start = annotated.time(span.start) if span.start is not None else _FIRST
    stop = annotated.time(span.stop) if span.stop is not None else _LAST
    tests = [f"r._measurement == {flux.text(span.measurement)}"]
    tests += [f"r[{flux.text(name)}] == {flux.text(value)}" for name, value in span.tags.items()]
    where = " and ".join((*tests, *more))
    bucket = flux.text(flux.bucket(span.database, span.tier))
    uses = 'import "strings"\n' if "strings.strlen(" in where else ""
    return f"{uses}from(bucket: {bucket}) |> range(start: {start}, stop: {stop}) |> filter(fn: (r) => {where})"


def _one_of(fields: Sequence[str]) -> str:
    return f"({' or '.join(f'r._field == {flux.text(each)}' for each in fields)})"


def _any(tests: Sequence[Test]) -> str:
    return f"({' or '.join(_bad(sign, bound) for sign, bound in tests)})"


def _bad(sign: str, bound: float) -> str:
    if sign == LONGER:
        return f"strings.strlen(v: r._value) > {bound:d}"
    # A whole number and a fraction cannot be compared as they are.
    return f"float(v: r._value) {sign} {literal(bound)}"
