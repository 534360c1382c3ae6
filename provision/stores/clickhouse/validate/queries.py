"""What data checks ask ClickHouse beside the scan: queries of the suite's author, columns, figures of a column."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Mapping, Sequence
from typing import Any

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Column, Row, Scope, Table
from provision.stores.clickhouse.reading import ReadOnlyQueries
from provision.stores.clickhouse.validate import refused
from provision.stores.clickhouse.validate.sql import clause, literal, name, plain_type, source, where
from provision.text.plain import MASKED
from provision.validate.distribution import limits
from provision.validate.stopwatch import times

_NULLABLE = re.compile(r"^(LowCardinality\()?Nullable\((.*?)\)(\)?)$")
_NUMBER = re.compile(r"^(U?Int|Float|BFloat|Decimal)")
_BRIEF = Scope(seconds=60)


class ClickhouseQueries:
    """`provision.ports.validate.Queries`."""

    def __init__(self, reading: ReadOnlyQueries) -> None:
        self._reading = reading

    def columns(self, table: str) -> Sequence[Column]:
        return [_column(*each) for each in refused.types_of(self._reading, table).items()]

    def keys(self, _table: str) -> Sequence[Sequence[str]]:
        return ()  # the engine keeps none unique

    def references(self, _table: str) -> Sequence[tuple[Sequence[str], str, Sequence[str]]]:
        return ()

    def alike(self, wanted: str, found: str) -> bool:
        kind = _column("", wanted).type.replace(" ", "")
        return kind in (found.replace(" ", ""), plain_type(found).replace(" ", ""))

    def refused(self, query: str, table: Table, check: Check) -> Sequence[ProvisionError]:
        return list(refused.of_query(self._reading, f"SELECT * FROM {_nested(query)}", table, check, {}))

    def count(self, query: str, scope: Scope) -> int:
        return int(self._reading.rows(f"SELECT count() FROM {_nested(query)}", scope)[0][0])

    def rows(self, query: str, mask: Sequence[str], scope: Scope, limit: int) -> Sequence[Row]:
        names = [str(row[0]) for row in self._reading.rows(f"DESCRIBE TABLE {_nested(query)}", scope)]
        shown = ", ".join(f"{literal(MASKED)} AS {name(each)}" if each in mask else name(each) for each in names)
        found = self._reading.rows(f"SELECT {shown} FROM {_nested(query)} LIMIT {limit:d}", scope)
        return [dict(zip(names, row, strict=True)) for row in found]

    def times(self, query: str, runs: int, scope: Scope) -> Sequence[float]:
        return times(lambda: self._reading.rows(query, scope), runs, time.monotonic() + scope.seconds)

    def plan(self, query: str, scope: Scope) -> Sequence[str]:
        return [str(row[0]) for row in self._reading.rows(f"EXPLAIN indexes = 1 {query}", scope)]

    def no_figures(self, table: Table, check: Check, *, numbers: bool) -> Sequence[ProvisionError]:
        body: Any = check.body
        kind = refused.types_of(self._reading, table.name)[body["column"]]
        if numbers and not _NUMBER.match(plain_type(kind)):
            what = f"{check.name}: {body['column']} is {kind}, no number"
            return [ConfigError("bad-expression", what, where=check.place, fix="name a column of numbers")]
        return list(refused.of_query(self._reading, _figures(body, table, ()), table, check, {}))

    def figures(self, table: Table, check: Check, scope: Scope) -> Mapping[str, float]:
        body: Any = check.body
        names = [each for each, _ in limits(body)]
        row = self._reading.rows(_figures(body, table, where(table.time, table.tenant, scope)), scope)[0]
        listed = dict(zip(names, row, strict=True))
        return {each: float(value) for each, value in listed.items() if value is not None and math.isfinite(value)}


def _column(name: str, kind: str) -> Column:
    found = _NULLABLE.match(kind)
    bare = f"{found[1] or ''}{found[2]}{found[3]}" if found else kind
    return Column(name, bare, found is not None)


def _nested(query: str) -> str:
    # The line ends keep a comment inside it from eating what follows.
    return f"(\n{query}\n)"


def _figures(body: Mapping[str, Any], table: Table, narrowed: Sequence[str]) -> str:
    """The query of the figures, in the order of `limits`; the quantiles are those of a t-digest, which stays small."""
    column = name(body["column"])
    kept = f"toFloat64OrDefault(toString({column}), nan)"
    found = [f"avgOrNullIf({kept}, isFinite({kept}))"] if "mean" in body else []
    for each in body.get("quantiles", {}).get("at", ()):
        found.append(f"quantileTDigestOrNullIf({each!r})({kept}, isFinite({kept}))")
    if "share" in body:
        is_it = f"ifNull({column} = {literal(body['share']['of'])}, 0)"
        found.append(f"if(count() = 0, NULL, countIf({is_it}) / count())")
    return f"SELECT {', '.join(found)} FROM {source(table.name, table.options)}{clause(narrowed)}"
