"""What each kind of check comes to in PostgreSQL's SQL; knows no connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from psycopg.sql import Literal

from provision.model.checks import Check, Scope
from provision.validate.columns import REPEATED, ahead, columns, narrowing, used

# Of these NaN is greater than infinity, and infinity than every other value.
ENDLESS = frozenset({"numeric", "real", "double precision"})
MOMENTS = frozenset({"date", "timestamp without time zone", "timestamp with time zone"})
Types = Mapping[str, str]
"""Column → its type, as format_type names it."""


def name(identifier: str) -> str:
    return '"{}"'.format(identifier.replace('"', '""'))


def table_name(written: str) -> str:
    """`table` or `schema.table`, quoted."""
    return ".".join(name(part) for part in written.split("."))


def literal(value: object) -> str:
    if isinstance(value, datetime):
        value = value.astimezone(UTC).isoformat()
    return Literal(value).as_string(None)


def where(time: str | None, tenant: str | None, scope: Scope) -> list[str]:
    """The conditions that narrow a table to the scope."""
    return [f"{name(column)} {sign} {literal(value)}" for column, sign, value in narrowing(time, tenant, scope)]


def clause(conditions: Sequence[str]) -> str:
    return f" where {' and '.join(conditions)}" if conditions else ""


def _bad(check: Check, _types: Types) -> str:
    # The line ends keep a comment inside the expression from eating what follows.
    return f"(\n{check.body}\n) is not false"


def _not_null(check: Check, types: Types) -> str:
    parts = []
    for column in columns(check.body):
        parts.append(f"{name(column)} is null")
        if types.get(column) in ENDLESS:
            parts.append(f"{name(column)} = 'NaN'")
    return f"({' or '.join(parts)})"


def _range(check: Check, types: Types) -> str:
    body: Any = check.body
    column = name(body["column"])
    signs = {"min": ">=", "above": ">", "max": "<=", "below": "<"}
    held = [f"{column} {sign} {literal(body[key])}" for key, sign in signs.items() if key in body]
    if types.get(body["column"]) in ENDLESS | MOMENTS:
        if "max" not in body and "below" not in body:
            held.append(f"{column} < 'infinity'")  # NaN is not less either
        if "min" not in body and "above" not in body:
            held.append(f"{column} > '-infinity'")
    return f"({' and '.join(held)}) is {'false' if body.get('allow_null') else 'not true'}"


def _accepted_values(check: Check, _types: Types) -> str:
    body: Any = check.body
    listed = ", ".join(literal(each) for each in body["values"])
    return f"({name(body['column'])} in ({listed})) is {'false' if body.get('allow_null') else 'not true'}"


def _max_length(check: Check, types: Types) -> str:
    body: Any = check.body
    column, long = name(body["column"]), f"> {literal(body['max'])}"
    if types.get(body["column"], "").endswith("[]"):
        return f"exists (select from unnest({column}) each(text) where char_length(each.text) {long})"
    return f"(char_length({column}) {long}) is true"


ROWS: Mapping[str, Callable[[Check, Types], str]] = {
    "bad": _bad,
    "not_null": _not_null,
    "not_null_share": lambda check, types: _not_null(replace(check, body=used(check)[0]), types),
    "range": _range,
    "accepted_values": _accepted_values,
    "max_length": _max_length,
}
"""Kinds that look at one row at a time → the condition that holds for a bad one; it is never NULL."""


def _unique(check: Check, table: str, narrowed: Sequence[str]) -> str:
    listed = ", ".join(name(each) for each in columns(check.body))
    return f"({listed}) in ({repeated(check, table, narrowed, listed)})"


def _reference(check: Check, table: str, _narrowed: Sequence[str]) -> str:
    body: Any = check.body
    pairs = list(zip(columns(body["column"]), columns(body["to"]["column"]), strict=True))
    same = " and ".join(f"referred.{name(theirs)} = {table}.{name(ours)}" for ours, theirs in pairs)
    there = " and ".join(f"{name(ours)} is not null" for ours, _ in pairs)
    return f"({there} and not exists (select from {table_name(body['to']['table'])} referred where {same}))"


def _unique_combination(check: Check, table: str, narrowed: Sequence[str]) -> str:
    same = " and ".join(
        f"repeated.{name(each)} is not distinct from {table}.{name(each)}" for each in columns(check.body)
    )
    keys = ", ".join(name(each) for each in columns(check.body))
    return f"exists (select from ({repeated(check, table, narrowed, keys)}) repeated where {same})"


OTHERS: Mapping[str, Callable[[Check, str, Sequence[str]], str]] = {
    "unique": _unique,
    "unique_combination": _unique_combination,
    "reference": _reference,
}
"""Kinds that look at other rows too → the condition that holds for a bad one, given the table and its scope."""


def condition(check: Check, types: Types, table: str, narrowed: Sequence[str]) -> str | None:
    """What holds for a bad row of the check; None where no single row is bad."""
    if check.kind in ROWS:
        return ROWS[check.kind](check, types)
    return OTHERS[check.kind](check, table, narrowed) if check.kind in OTHERS else None


def counting(check: Check, table: str, narrowed: Sequence[str]) -> str:
    """The query of the number of bad rows of a kind in OTHERS."""
    if check.kind in REPEATED:  # the rows need not be read a second time, as its condition would
        return f"select coalesce(sum(n), 0) from ({repeated(check, table, narrowed, 'count(*) as n')}) repeated"
    return f"select count(*) from {table}{clause([*narrowed, OTHERS[check.kind](check, table, narrowed)])}"


def repeated(check: Check, table: str, narrowed: Sequence[str], select: str) -> str:
    """A query of one row for each key that more than one row has."""
    keys = [name(each) for each in columns(check.body)]
    there = [f"{key} is not null" for key in keys] if check.kind == "unique" else []
    kept = clause([*narrowed, *there])
    return f"select {select} from {table}{kept} group by {', '.join(keys)} having count(*) > 1"


def freshness_select(check: Check, time: str | None) -> str:
    """The age of the newest row, and how many are further in the future than they may be."""
    body: Any = check.body
    column = name(body.get("column") or time or "")
    late = f"clock_timestamp() + interval '{ahead(body):d} s'"
    # An endless moment has no age; one of them is from the future, the other too old for any limit.
    newest = f"nullif(max({column}) filter (where {column} <= {late})::timestamptz, '-infinity')"
    return f"extract(epoch from clock_timestamp() - {newest})::float8, count(*) filter (where {column} > {late})"
