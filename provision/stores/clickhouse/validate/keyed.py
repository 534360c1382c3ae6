"""Tables of ClickHouse in the order of a key written as text, so that another store can compare them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from provision.model.checks import BOOLEAN, INTEGER, MOMENT, NUMBER, TEXT, ComparableTable, Digest, Key, Scope
from provision.stores.clickhouse.reading import ReadOnlyQueries
from provision.stores.clickhouse.validate.refused import types_of
from provision.stores.clickhouse.validate.sql import clause, literal, name, plain_type, source, where

NOTHING, BETWEEN = "∅", "\x1f"
_BY_TYPE = (
    (re.compile(r"U?Int\d+"), INTEGER),
    (re.compile(r"Float\d+|Decimal.*"), NUMBER),
    (re.compile(r"Date.*"), MOMENT),
    (re.compile("Bool"), BOOLEAN),
)
# A number as whole units of its last decimal; one too big for that in whole millions, which is near enough.
_NUMBER = (
    "multiIf(isNaN(toFloat64({0})), 'NaN',"
    " abs(toFloat64({0})) >= 9e24, if(toFloat64({0}) > 0, 'Infinity', '-Infinity'),"
    " abs(toFloat64({0})) >= 9e12, concat(toString(toInt64(floor(toFloat64({0}) / 1e6))), 'e6'),"
    " toString(toInt64(floor(toFloat64({0}) * 1e{1} + 0.5))))"
)
_FORMS = {
    MOMENT: "toString(toUnixTimestamp64Milli(toDateTime64({0}, 3, 'UTC')))",
    INTEGER: "toString({0})",
    NUMBER: _NUMBER,
    BOOLEAN: "toString(toUInt8({0}))",
    TEXT: "toString({0})",
}
# The last 15 hexadecimal digits of an MD5: what PostgreSQL can turn into a number too.
_CHECKSUM = "toUInt128(bitAnd(reinterpretAsUInt64(reverse(substring(MD5({0}), 9, 8))), 0x0FFFFFFFFFFFFFFF))"


class ClickhouseKeyed:
    """`provision.ports.validate.Keyed`."""

    def __init__(self, reading: ReadOnlyQueries) -> None:
        self._reading = reading

    def forms(self, sheet: ComparableTable) -> Sequence[str]:
        types = types_of(self._reading, sheet.table)
        return [_form(plain_type(types.get(column, ""))) for column in sheet.columns]

    def keys(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None
    ) -> Iterator[tuple[Key, int]]:
        key = ", ".join(_written(sheet)[: sheet.key])
        present = [f"isNotNull({name(column)})" for column in sheet.columns[: sheet.key]]
        range_ = [f"({key}) >= {_tuple(low)}"] if low else []
        range_ += [f"({key}) <= {_tuple(high)}"] if high else []
        kept = clause([*where(sheet.time, sheet.tenant, scope), *present, *range_])
        query = f"SELECT {key}, count() FROM {_from(sheet)}{kept} GROUP BY {key} ORDER BY {key}"
        for row in self._reading.stream(query, scope):
            yield tuple(row[:-1]), int(row[-1])

    def digests(self, sheet: ComparableTable, scope: Scope, bounds: Sequence[Key | None]) -> Sequence[Digest]:
        key = ", ".join(_written(sheet)[: sheet.key])
        inner = [each for each in bounds[1:-1] if each is not None]
        cases = ", ".join(f"({key}) <= {_tuple(each)}, {n}" for n, each in enumerate(inner))
        part = f"multiIf({cases}, {len(inner)})" if inner else "0"
        line = f"concat({f', {literal(BETWEEN)}, '.join(_written(sheet))}, '')"
        query = (
            f"SELECT {part} AS part, count(), toString(sum({_CHECKSUM.format(line)})),"
            f" min({_written(sheet)[0]}), max({_written(sheet)[0]})"
            f" FROM {_from(sheet)}{_slice(sheet, scope, bounds[0], bounds[-1])} GROUP BY part"
        )
        found = {
            int(row[0]): Digest(int(row[1]), int(row[2]), row[3], row[4]) for row in self._reading.rows(query, scope)
        }
        return [found.get(n, Digest(0, 0)) for n in range(len(bounds) - 1)]

    def split(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None, parts: int
    ) -> Sequence[Key]:
        names = ", ".join(f"k{n}" for n in range(sheet.key))
        inner = ", ".join(f"{each} AS k{n}" for n, each in enumerate(_written(sheet)[: sheet.key]))
        query = (
            f"SELECT DISTINCT {names} FROM (SELECT {names}, row_number() OVER (ORDER BY {names}) AS n,"
            f" count() OVER () AS rows FROM (SELECT {inner} FROM {_from(sheet)}{_slice(sheet, scope, low, high)}))"
            f" WHERE n % greatest(ceil(rows / {parts}), 1) = 0 AND n < rows"
        )
        return sorted(self._reading.rows(query, scope))

    def rows(
        self, sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None, limit: int
    ) -> Sequence[Key]:
        key = ", ".join(_written(sheet)[: sheet.key])
        query = (
            f"SELECT {', '.join(_written(sheet))} FROM {_from(sheet)}{_slice(sheet, scope, low, high)}"
            f" ORDER BY {key} LIMIT {limit:d}"
        )
        return self._reading.rows(query, scope)


def _form(kind: str) -> str:
    return next((form for pattern, form in _BY_TYPE if pattern.fullmatch(kind)), TEXT)


def _from(sheet: ComparableTable) -> str:
    return source(sheet.table, sheet.options)


def _written(sheet: ComparableTable) -> list[str]:
    forms = zip(sheet.columns, sheet.forms, strict=True)
    texts = [_FORMS[form].format(name(column), sheet.places) for column, form in forms]
    return [f"ifNull({text}, {literal(NOTHING)})" for text in texts]


def _tuple(key: Key) -> str:
    return f"({', '.join(map(literal, key))})"


def _slice(sheet: ComparableTable, scope: Scope, low: Key | None, high: Key | None) -> str:
    key = ", ".join(_written(sheet)[: sheet.key])
    range_ = [f"({key}) > {_tuple(low)}"] if low is not None else []
    range_ += [f"({key}) <= {_tuple(high)}"] if high is not None else []
    return clause([*where(sheet.time, sheet.tenant, scope), *range_])
