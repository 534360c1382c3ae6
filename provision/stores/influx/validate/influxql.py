"""What data checks ask of InfluxDB 1.x; one statement counts, and finds the extremes, of all fields at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from provision.stores.influx.migrate.influxql import quoted, text
from provision.stores.influx.migrate.model import shown
from provision.stores.influx.validate.place import LONGER, Ask, FieldSort, Record, Span, Test, literal

_SORTS = {"string": FieldSort.TEXT, "boolean": FieldSort.TRUTH}  # the others are numbers


class CheckInfluxql:
    """`provision.stores.influx.validate.place.Language`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def fields(self, span: Span) -> Mapping[str, FieldSort]:
        asked = f"SHOW FIELD KEYS ON {quoted(span.database)} FROM {_short(span)}"
        return {str(row["fieldKey"]): _SORTS.get(row["fieldType"], FieldSort.NUMBER) for row in self._ask(asked)}

    def tags(self, span: Span) -> Sequence[str]:
        asked = f"SHOW TAG KEYS ON {quoted(span.database)} FROM {_short(span)}"
        return [str(row["tagKey"]) for row in self._ask(asked)]

    def counts(self, span: Span, fields: Sequence[str]) -> Mapping[str, int]:
        calls = ", ".join(f"count({quoted(each)}) AS c{place}" for place, each in enumerate(fields))
        row = next(self._ask(f"SELECT {calls} {_from(span)}"), {}) if fields else {}
        return {each: int(row.get(f"c{place}") or 0) for place, each in enumerate(fields)}

    def extremes(self, span: Span, fields: Sequence[str]) -> Mapping[str, tuple[float, float]]:
        calls = ", ".join(
            f"min({quoted(each)}) AS l{place}, max({quoted(each)}) AS h{place}" for place, each in enumerate(fields)
        )
        row = next(self._ask(f"SELECT {calls} {_from(span)}"), {}) if fields else {}
        found = {each: (row.get(f"l{place}"), row.get(f"h{place}")) for place, each in enumerate(fields)}
        return {each: (low, high) for each, (low, high) in found.items() if low is not None and high is not None}

    def outside(self, span: Span, name: str, tests: Sequence[Test]) -> int:
        asked = f"SELECT count({quoted(name)}) AS n {_from(span, _any(name, tests))}"
        return sum(int(row["n"]) for row in self._ask(asked))

    def rows(
        self, span: Span, name: str, tests: Sequence[Test], columns: Sequence[str], limit: int
    ) -> Iterator[Record]:
        # Tags alone select nothing: the field has to be among what is asked for.
        listed = ", ".join((f'{quoted(name)} AS "_field"', *(quoted(each) for each in columns if each != "time")))
        where = _any(name, tests) if tests else ""
        yield from self._ask(f"SELECT {listed} {_from(span, where)} LIMIT {limit:d}")

    def windows(self, span: Span, every: int, per: Sequence[str]) -> Iterator[tuple[tuple[str, ...], int]]:
        groups = ", ".join((f"time({shown(every)})", *(quoted(each) for each in per)))
        for row in self._ask(f"SELECT count(*) {_from(span)} GROUP BY {groups} fill(none)"):
            yield tuple(str(row.get(each) or "") for each in per), int(row["time"])

    def sums(
        self, span: Span, call: str, every: int, per: Sequence[str]
    ) -> Iterator[tuple[tuple[str, ...], int, float]]:
        function, name = call.removesuffix(")").split("(", 1)
        groups = ", ".join((f"time({shown(every)})", *(quoted(each) for each in per)))
        for row in self._ask(f"SELECT {function}({quoted(name)}) AS n {_from(span)} GROUP BY {groups} fill(none)"):
            yield tuple(str(row.get(each) or "") for each in per), int(row["time"]), float(row["n"])

    def newest(self, span: Span, fields: Sequence[str]) -> int | None:
        # The time of an aggregate is that of its point only where it is asked for alone.
        asked = (f"SELECT last({quoted(each)}) {_from(span)}" for each in fields)
        return max((int(row["time"]) for each in asked for row in self._ask(each)), default=None)


def _short(span: Span) -> str:
    return f"{quoted(span.tier)}.{quoted(span.measurement)}"


def _from(span: Span, more: str = "") -> str:
    parts = [more] if more else []
    parts += [f"time >= {span.start}"] if span.start is not None else []
    parts += [f"time < {span.stop}"] if span.stop is not None else []
    parts += [f"{quoted(name)} = {text(value)}" for name, value in span.tags.items()]
    where = f" WHERE {' AND '.join(parts)}" if parts else ""
    return f"FROM {quoted(span.database)}.{_short(span)}{where}"


def _any(name: str, tests: Sequence[Test]) -> str:
    return f"({' OR '.join(_bad(quoted(name), sign, bound) for sign, bound in tests)})"


def _bad(name: str, sign: str, bound: float) -> str:
    return f"{name} =~ {_longer(int(bound))}" if sign == LONGER else f"{name} {sign} {literal(bound)}"


def _longer(most: int) -> str:
    """The regular expression of texts that have more characters; none may be repeated more than a thousand times."""
    thousands, rest = divmod(most + 1, 1000)
    return f"/(?s)^{'.{1000}' * thousands}{f'.{{{rest}}}' if rest else ''}/"
