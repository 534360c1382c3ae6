"""What each kind of check comes to in ClickHouse's SQL; knows no connection."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from provision.model.checks import Check, Scope, Table
from provision.validate.columns import REPEATED, ahead, columns, narrowing, used

Types = Mapping[str, str]
"""Column → its type, as system.columns names it."""
_WRAPPED = re.compile(r"^(?:Nullable|LowCardinality)\((.*)\)$")
_LIST = re.compile(r"^Array\((.*)\)$")
_TEXT = re.compile(r"^(?:String|FixedString\(\d+\))$")


def name(identifier: str) -> str:
    return "`{}`".format(identifier.replace("\\", "\\\\").replace("`", "\\`"))


def table_name(written: str) -> str:
    """`table` or `database.table`, quoted."""
    return ".".join(name(part) for part in written.split("."))


def source(table: str, options: Mapping[str, object]) -> str:
    return f"{table_name(table)} FINAL" if options.get("final") else table_name(table)


def literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"toDateTime64('{value.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}', 6, 'UTC')"
    if isinstance(value, int | float):
        return repr(value)
    return "'{}'".format(str(value).replace("\\", "\\\\").replace("'", "\\'"))


def plain_type(kind: str) -> str:
    """The type without Nullable and LowCardinality around it."""
    while found := _WRAPPED.match(kind):
        kind = found[1]
    return kind


def where(time: str | None, tenant: str | None, scope: Scope) -> list[str]:
    """The conditions that narrow a table to the scope."""
    return [f"{name(column)} {sign} {literal(value)}" for column, sign, value in narrowing(time, tenant, scope)]


def clause(conditions: Sequence[str]) -> str:
    return f" WHERE {' AND '.join(conditions)}" if conditions else ""


def _bad(check: Check, _types: Types) -> str:
    # The line ends keep a comment inside the expression from eating what follows.
    return f"ifNull((\n{check.body}\n), 1)"


def _not_null(check: Check, types: Types) -> str:
    return "({})".format(" OR ".join(_missing(column, types) for column in columns(check.body)))


def _missing(column: str, types: Types) -> str:
    number = plain_type(types.get(column, "")).startswith("Float")
    return f"ifNull(isNaN({name(column)}), 1)" if number else f"isNull({name(column)})"


def _range(check: Check, types: Types) -> str:
    body: Any = check.body
    column = name(body["column"])
    signs = {"min": ">=", "above": ">", "max": "<=", "below": "<"}
    held = [f"{column} {sign} {literal(body[key])}" for key, sign in signs.items() if key in body]
    if plain_type(types.get(body["column"], "")).startswith("Float"):
        held.append(f"isFinite({column})")
    return f"ifNull(NOT ({' AND '.join(held)}), {0 if body.get('allow_null') else 1})"


def _accepted_values(check: Check, _types: Types) -> str:
    body: Any = check.body
    listed = ", ".join(literal(each) for each in body["values"])
    return f"ifNull({name(body['column'])} NOT IN ({listed}), {0 if body.get('allow_null') else 1})"


def texts(kind: str) -> str:
    """`String` or `FixedString` for a type of texts, or of lists of them however deep; empty for any other."""
    kind = plain_type(kind)
    while found := _LIST.match(kind):
        kind = plain_type(found[1])
    return kind.partition("(")[0] if _TEXT.match(kind) else ""


def _max_length(check: Check, types: Types) -> str:
    body: Any = check.body
    column, kind = name(body["column"]), types.get(body["column"], "")
    listed = _LIST.match(kind) is not None
    text = "each" if listed else column
    if texts(kind) == "FixedString":  # what fills it up is no part of the text
        text = f"toStringCutToZero({text})"
    long = f"ifNull(lengthUTF8({text}) > {literal(body['max'])}, 0)"
    return f"arrayExists(each -> {long}, arrayFlatten({column}))" if listed else long


ROWS: Mapping[str, Callable[[Check, Types], str]] = {
    "bad": _bad,
    "not_null": _not_null,
    "not_null_share": lambda check, types: _not_null(replace(check, body=used(check)[0]), types),
    "range": _range,
    "accepted_values": _accepted_values,
    "max_length": _max_length,
}
"""Kinds that look at one row at a time → the condition that holds for a bad one; it is never NULL."""


def _unique(check: Check, table: Table, narrowed: Sequence[str]) -> str:
    listed = ", ".join(name(each) for each in columns(check.body))
    return f"({listed}) IN ({repeated(check, table, narrowed, listed)})"


def _reference(check: Check, _table: Table, _narrowed: Sequence[str]) -> str:
    body: Any = check.body
    ours = ", ".join(name(each) for each in columns(body["column"]))
    theirs = ", ".join(name(each) for each in columns(body["to"]["column"]))
    return f"ifNull(({ours}) NOT IN (SELECT {theirs} FROM {table_name(body['to']['table'])}), 0)"


def _unique_combination(check: Check, table: Table, narrowed: Sequence[str]) -> str:
    # A NULL is in no list: each column as whether it is one, and as text.
    parts = (f"isNull({name(each)}), ifNull(toString({name(each)}), '')" for each in columns(check.body))
    keys = ", ".join(name(each) for each in columns(check.body))
    found = repeated(check, table, narrowed, keys)
    as_text = f"tuple({', '.join(parts)})"
    return f"{as_text} IN (SELECT {as_text} FROM ({found}))"


OTHERS: Mapping[str, Callable[[Check, Table, Sequence[str]], str]] = {
    "unique": _unique,
    "unique_combination": _unique_combination,
    "reference": _reference,
}
"""Kinds that look at other rows too → the condition that holds for a bad one, given the table and its scope."""


def condition(check: Check, types: Types, table: Table, narrowed: Sequence[str]) -> str | None:
    """What holds for a bad row of the check; None where no single row is bad."""
    if check.kind in ROWS:
        return ROWS[check.kind](check, types)
    return OTHERS[check.kind](check, table, narrowed) if check.kind in OTHERS else None


def counting(check: Check, table: Table, narrowed: Sequence[str]) -> str:
    """The query of the number of bad rows of a kind in OTHERS."""
    if check.kind in REPEATED:  # the rows need not be read a second time, as its condition would
        # ClickHouse would take an alias for a column of that name.
        return f"SELECT sum(`rows of a key`) FROM ({repeated(check, table, narrowed, 'count() AS `rows of a key`')})"
    held = OTHERS[check.kind](check, table, narrowed)
    return f"SELECT count() FROM {source(table.name, table.options)}{clause([*narrowed, held])}"


def repeated(check: Check, table: Table, narrowed: Sequence[str], select: str) -> str:
    """A query of one row for each key that more than one row has."""
    keys = [name(each) for each in columns(check.body)]
    there = [f"isNotNull({key})" for key in keys] if check.kind == "unique" else []
    kept = clause([*narrowed, *there])
    return (
        f"SELECT {select} FROM {source(table.name, table.options)}{kept} GROUP BY {', '.join(keys)} HAVING count() > 1"
    )


def scan(table: Table, types: Types, narrowed: Sequence[str]) -> str:
    """The one statement that counts all rows, and the bad ones of every row check."""
    select = ["count()"]
    for check in table.checks:
        if check.kind in ROWS:
            select.append(f"countIf({ROWS[check.kind](check, types)})")
        elif check.kind not in OTHERS:
            select.append(freshness_select(check, table.time))
    return f"SELECT {', '.join(select)} FROM {source(table.name, table.options)}{clause(narrowed)}"


def freshness_select(check: Check, time: str | None) -> str:
    """The age of the newest row, and how many are further in the future than they may be."""
    body: Any = check.body
    column = name(body.get("column") or time or "")
    late = f"{column} > now64(3) + INTERVAL {ahead(body):d} SECOND"
    newest = f"toDateTime64(maxOrNullIf({column}, NOT ({late})), 3, 'UTC')"
    return f"(toUnixTimestamp64Milli(now64(3)) - toUnixTimestamp64Milli({newest})) / 1000, countIf({late})"
