"""aggregateWindow: windows of fixed length from 1970 on, cut at the ends of the range."""

from __future__ import annotations

from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux.evaluate import called
from tests.doubles.influx2.flux.tables import Row, Stream, Table
from tests.doubles.influx2.times import Duration, Time

_NONE = Duration(0, 0)


def aggregate_window(
    tables: Stream,
    every: Duration,
    fn: Any,
    period: Duration | None = None,
    offset: Duration = _NONE,
    column: str = "_value",
    timeSrc: str = "_stop",
    timeDst: str = "_time",
    createEmpty: bool = True,
) -> Stream:
    """One row a window, at the window's end unless `timeSrc` is _start. Empty windows give a row without a value."""
    if every.months or offset.months or period is not None:
        raise Refused("not implemented", "the double does not evaluate windows of months or with a period")
    found = []
    for table in tables:
        if any(name not in table.rows[0] for name in ("_start", "_stop", "_time")):
            raise Refused("invalid", "runtime error: window: missing a column of _start, _stop and _time")
        rows: list[Row] = []
        for start, stop, inside in _windows(table, every.nanoseconds, offset.nanoseconds, createEmpty):
            rows += _row(table, start, stop, inside, fn, column, timeSrc, timeDst, createEmpty)
        if rows:
            found.append(Table(tuple(dict.fromkeys((*table.key, "_start", "_stop"))), rows))
    return found


def _windows(table: Table, every: int, offset: int, empty: bool) -> list[tuple[int, int, list[Row]]]:
    inside: dict[int, list[Row]] = {}
    for row in table.rows:
        inside.setdefault((row["_time"] - offset) // every * every + offset, []).append(row)
    low, high = table.rows[0]["_start"], table.rows[0]["_stop"]
    if empty:
        first = (low - offset) // every * every + offset
        for start in range(first, high, every):
            inside.setdefault(start, [])
    return [(max(start, low), min(start + every, high), inside[start]) for start in sorted(inside)]


def _row(
    table: Table, start: int, stop: int, rows: list[Row], fn: Any, column: str, source: str, target: str, empty: bool
) -> list[Row]:
    whole_range = {name: table.rows[0][name] for name in ("_start", "_stop")}
    group = {**table.group(), **whole_range}
    bounds = {"_start": Time(start), "_stop": Time(stop)}
    made = called(fn, {"column": column}, [Table(table.key, rows)]) if rows else []
    if not made:
        return [{**group, target: bounds[source], column: None}] if empty else []
    [row] = made[0].rows
    whole = {**row, **bounds}
    return [{**whole, target: whole[source], **whole_range}]
