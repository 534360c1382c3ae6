"""Tables to annotated CSV."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.doubles.influx2.flux.evaluate import text
from tests.doubles.influx2.flux.tables import Stream, Table
from tests.doubles.influx2.points import Unsigned
from tests.doubles.influx2.times import Duration, Time

_TYPES = (
    (bool, "boolean"),
    (Time, "dateTime:RFC3339"),
    (Unsigned, "unsignedLong"),
    (int, "long"),
    (float, "double"),
    (Duration, "duration"),
)


def encoded(results: Mapping[str, Stream], dialect: Mapping[str, Any]) -> str:
    """The tables of each result; columns and annotations are told again where they change."""
    lines: list[str] = []
    for name, stream in results.items():
        before: list[tuple[str, str, bool]] | None = None
        for number, table in enumerate(table for table in stream if table.rows):
            columns = _columns(table)
            if columns != before:
                lines += [*([""] if lines else []), *_head(columns, name, dialect)]
                before = columns
            for row in table.rows:
                cells = [_cell(row.get(each)) for each, _, _ in columns]
                lines.append(dialect.get("delimiter", ",").join(["", "", str(number), *cells]))
    return "".join(f"{line}\r\n" for line in [*lines, ""]) if lines else "\r\n"


def _columns(table: Table) -> list[tuple[str, str, bool]]:
    return [(name, _type(table, name), name in table.key) for name in table.columns()]


def _type(table: Table, name: str) -> str:
    for row in table.rows:
        found = row.get(name)
        if found is not None:
            return next((word for kind, word in _TYPES if isinstance(found, kind)), "string")
    return "string"


def _head(columns: list[tuple[str, str, bool]], result: str, dialect: Mapping[str, Any]) -> list[str]:
    sign = dialect.get("delimiter", ",")
    told = {
        "group": ["#group", "false", "false", *("true" if grouped else "false" for _, _, grouped in columns)],
        "datatype": ["#datatype", "string", "long", *(kind for _, kind, _ in columns)],
        "default": ["#default", result, "", *("" for _ in columns)],
    }
    lines = [sign.join(told[each]) for each in dialect.get("annotations") or ()]
    if dialect.get("header", True):
        lines.append(sign.join(["", "result", "table", *(_cell(name) for name, _, _ in columns)]))
    return lines


def _cell(value: Any) -> str:
    if value is None:
        return ""
    said = text(value)
    return '"' + said.replace('"', '""') + '"' if any(sign in said for sign in ',"\r\n') else said
