"""The functions of Flux that this double evaluates, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux import aggregates
from tests.doubles.influx2.flux.evaluate import Builtin, Function, called, text
from tests.doubles.influx2.flux.tables import Row, Stream, Table, each_row, regrouped
from tests.doubles.influx2.flux.windows import aggregate_window
from tests.doubles.influx2.points import Unsigned
from tests.doubles.influx2.times import Duration, Time, duration, time


def filter_(tables: Stream, fn: Function, onEmpty: str = "drop") -> Stream:
    kept = [Table(table.key, [row for row in table.rows if called(fn, {"r": row})]) for table in tables]
    return [table for table in kept if table.rows or onEmpty == "keep"]


def group(tables: Stream, columns: list[str] | None = None, mode: str = "by") -> Stream:
    if mode == "except":
        hidden = {*(columns or ()), "_time", "_value"}
        return regrouped(
            (tuple(name for name in row if name not in hidden), row) for table in tables for row in table.rows
        )
    return regrouped((tuple(columns or ()), row) for table in tables for row in table.rows)


def sort(tables: Stream, columns: list[str] | None = None, desc: bool = False) -> Stream:
    def place(row: Row) -> list[Any]:
        return [(row.get(name) is not None, row.get(name)) for name in columns or ["_value"]]

    return [Table(table.key, sorted(table.rows, key=place, reverse=desc)) for table in tables]


def limit(tables: Stream, n: int, offset: int = 0) -> Stream:
    return [Table(table.key, table.rows[offset : offset + n]) for table in tables if table.rows[offset : offset + n]]


def tail(tables: Stream, n: int, offset: int = 0) -> Stream:
    rows = [(table, table.rows[: len(table.rows) - offset][-n:]) for table in tables]
    return [Table(table.key, kept) for table, kept in rows if kept]


def _chosen(columns: list[str] | None, fn: Function | None) -> Callable[[str], bool]:
    if fn is not None:
        return lambda name: bool(called(fn, {"column": name}))
    return lambda name: name in (columns or ())


def drop(tables: Stream, columns: list[str] | None = None, fn: Function | None = None) -> Stream:
    gone = _chosen(columns, fn)
    return each_row(tables, lambda row: {name: each for name, each in row.items() if not gone(name)})


def keep(tables: Stream, columns: list[str] | None = None, fn: Function | None = None) -> Stream:
    kept = _chosen(columns, fn)
    return each_row(tables, lambda row: {name: each for name, each in row.items() if kept(name)})


def rename(tables: Stream, columns: Mapping[str, str]) -> Stream:
    changed = [
        (tuple(columns.get(name, name) for name in table.key), {columns.get(name, name): row[name] for name in row})
        for table in tables
        for row in table.rows
    ]
    return regrouped(changed)


def duplicate(tables: Stream, column: str, **named: str) -> Stream:
    return each_row(tables, lambda row: {**row, named["as"]: row.get(column)})


def set_(tables: Stream, key: str, value: str) -> Stream:
    return each_row(tables, lambda row: {**row, key: value})


def map_(tables: Stream, fn: Function, mergeKey: bool = False) -> Stream:
    del mergeKey  # deprecated, and false
    return each_row(tables, lambda row: called(fn, {"r": row}))


def distinct(tables: Stream, column: str = "_value") -> Stream:
    found = []
    for table in tables:
        values = {row[column]: None for row in table.rows if row.get(column) is not None}
        found.append(Table(table.key, [{**table.group(), "_value": each} for each in values]))
    return [table for table in found if table.rows]


def union(tables: list[Stream]) -> Stream:
    return regrouped((table.key, row) for stream in tables for table in stream for row in table.rows)


def pivot(tables: Stream, rowKey: list[str], columnKey: list[str], valueColumn: str) -> Stream:
    """Rows that agree in the row key become one; the column key names the columns."""
    made: dict[tuple[Any, ...], tuple[tuple[str, ...], Row]] = {}
    for table in tables:
        key = tuple(name for name in table.key if name not in (*columnKey, valueColumn))
        for row in table.rows:
            kept = {name: row.get(name) for name in (*key, *rowKey)}
            name = "_".join(text(row.get(each)) for each in columnKey)
            made.setdefault(tuple(kept.values()), (key, kept))[1][name] = row.get(valueColumn)
    return regrouped(made.values())


def to_float(value: Any) -> float | None:
    return None if value is None else float(value)


def to_int(value: Any) -> int | None:
    if isinstance(value, Duration):
        return value.nanoseconds
    return None if value is None else int(value)


def to_time(value: Any) -> Time | None:
    return None if value is None else time(value) if isinstance(value, str) else Time(value)


def _cast(of: Callable[[Any], Any]) -> Callable[..., Stream]:
    return lambda tables: each_row(tables, lambda row: {**row, "_value": of(row.get("_value"))})


def _of(cast: Callable[[Any], Any]) -> Callable[..., Any]:
    def made(v: Any) -> Any:
        return cast(v)

    return made


def rows_of(rows: list[Row]) -> Stream:
    if not rows:
        raise Refused("invalid", "runtime error: array.from: rows must be non-empty")
    return [Table((), rows)]


def _aggregate(name: str) -> Callable[..., Stream]:
    return lambda tables, column="_value": aggregates.applied(name, tables, column)


_KNOWN: dict[str, Callable[..., Any]] = {
    "filter": filter_,
    "group": group,
    "sort": sort,
    "limit": limit,
    "tail": tail,
    "drop": drop,
    "keep": keep,
    "rename": rename,
    "duplicate": duplicate,
    "set": set_,
    "map": map_,
    "distinct": distinct,
    "union": union,
    "pivot": pivot,
    "aggregateWindow": aggregate_window,
    "toFloat": _cast(to_float),
    "toInt": _cast(to_int),
    "toUInt": _cast(lambda value: None if value is None else Unsigned(value)),
    "toString": _cast(lambda value: None if value is None else text(value)),
    "float": _of(to_float),
    "int": _of(to_int),
    "string": _of(text),
    "time": _of(to_time),
    "duration": _of(lambda value: duration(value) if isinstance(value, str) else Duration(0, value)),
    "length": lambda arr: len(arr),
    "contains": lambda value, set: value in set,
    **{name: _aggregate(name) for name in aggregates.NAMES},
}
FUNCTIONS = {name: Builtin(name, each) for name, each in _KNOWN.items()}
MODULES: dict[str, dict[str, Any]] = {
    "array": {"from": Builtin("from", rows_of)},
    "strings": {
        "hasPrefix": Builtin("hasPrefix", lambda v, prefix: v.startswith(prefix)),
        "hasSuffix": Builtin("hasSuffix", lambda v, suffix: v.endswith(suffix)),
        "containsStr": Builtin("containsStr", lambda v, substr: substr in v),
    },
}
