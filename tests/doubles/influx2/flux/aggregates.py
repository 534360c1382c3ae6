"""Aggregates and selectors: what they make of one table."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from typing import Any

from tests.doubles.influx2.flux.tables import Row, Stream, Table

_VALUES: dict[str, Callable[[list[Any]], Any]] = {
    "count": len,
    "sum": sum,
    "mean": lambda values: float(sum(values)) / len(values),
    "spread": lambda values: max(values) - min(values),
    "stddev": lambda values: statistics.stdev(values) if len(values) > 1 else None,
}
_ROWS: dict[str, Callable[[list[Row], str], Row]] = {
    "first": lambda rows, _column: rows[0],
    "last": lambda rows, _column: rows[-1],
    "min": lambda rows, column: min(rows, key=lambda row: row[column]),
    "max": lambda rows, column: max(rows, key=lambda row: row[column]),
}
NAMES = (*_VALUES, *_ROWS)


def applied(name: str, tables: Stream, column: str = "_value") -> Stream:
    """One row a table; a table without values gives none."""
    return [made for table in tables if (made := _one(name, table, column)) is not None]


def _one(name: str, table: Table, column: str) -> Table | None:
    rows = [row for row in table.rows if row.get(column) is not None]
    if not rows:
        return None
    if name in _ROWS:
        return Table(table.key, [dict(_ROWS[name](rows, column))])
    found = _VALUES[name]([row[column] for row in rows])
    return Table(table.key, [{**table.group(), column: found}])
