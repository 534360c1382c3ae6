"""What data checks ask PostgreSQL beside the scan: queries of the suite's author, columns, figures of a column."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import psycopg

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Column, Row, Scope, Table
from provision.stores.postgres.validate import refused
from provision.stores.postgres.validate.sql import ENDLESS, clause, literal, name, table_name, where
from provision.text.plain import MASKED
from provision.validate.distribution import limits
from provision.validate.stopwatch import times

_COLUMNS = """
select attname, format_type(atttypid, atttypmod), not attnotnull from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""
_KEYS = """
select array(select attname::text from unnest(indkey::int2[]) with ordinality each(n, place)
    join pg_attribute on attrelid = indrelid and attnum = n order by place)
from pg_index where indrelid = to_regclass(%s) and indisunique and indisvalid and indpred is null and indexprs is null
    and indnkeyatts = indnatts order by indisprimary desc, indexrelid
"""
_REFERENCES = """
select array(select attname::text from unnest(conkey) with ordinality each(n, place)
        join pg_attribute on attrelid = conrelid and attnum = n order by place), confrelid::regclass::text,
    array(select attname::text from unnest(confkey) with ordinality each(n, place)
        join pg_attribute on attrelid = confrelid and attnum = n order by place)
from pg_constraint where contype = 'f' and conrelid = to_regclass(%s) order by conname
"""
_NUMBERS = ENDLESS | {"smallint", "integer", "bigint", "oid"}
Execute = Callable[..., psycopg.Cursor[Any]]


class PostgresQueries:
    """`provision.ports.validate.Queries`."""

    def __init__(self, reading: Callable[[Scope], AbstractContextManager[Execute]], alone: Execute) -> None:
        self._reading, self._alone = reading, alone

    def columns(self, table: str) -> Sequence[Column]:
        with self._reading(Scope(seconds=60)) as execute:
            return [Column(str(row[0]), str(row[1]), bool(row[2])) for row in execute(_COLUMNS, (table_name(table),))]

    def keys(self, table: str) -> Sequence[Sequence[str]]:
        with self._reading(Scope(seconds=60)) as execute:
            return [tuple(row[0]) for row in execute(_KEYS, (table_name(table),))]

    def references(self, table: str) -> Sequence[tuple[Sequence[str], str, Sequence[str]]]:
        with self._reading(Scope(seconds=60)) as execute:
            return [(tuple(row[0]), str(row[1]), tuple(row[2])) for row in execute(_REFERENCES, (table_name(table),))]

    def alike(self, wanted: str, found: str) -> bool:
        (plain, size), (base, length) = _parts(wanted), _parts(found)
        with self._reading(Scope(seconds=60)) as execute:
            row = execute("select format_type(to_regtype(%s), null)", (plain,)).fetchone()
        return (row[0] if row and row[0] else plain) == base and size in ("", length)

    def refused(self, query: str, table: Table, check: Check) -> Sequence[ProvisionError]:
        return list(refused.refusals(self._alone, f"select * from {_nested(query)} limit 0", table, check, {}))

    def count(self, query: str, scope: Scope) -> int:
        with self._reading(scope) as execute:
            return int((execute(f"select count(*) from {_nested(query)}").fetchone() or (0,))[0])

    def rows(self, query: str, mask: Sequence[str], scope: Scope, limit: int) -> Sequence[Row]:
        with self._reading(scope) as execute:
            names = [each.name for each in execute(f"select * from {_nested(query)} limit 0").description or ()]
            shown = ", ".join(f"{literal(MASKED)} as {name(each)}" if each in mask else name(each) for each in names)
            found = execute(f"select {shown} from {_nested(query)} limit {limit:d}")
            return [dict(zip(names, row, strict=True)) for row in found]

    def times(self, query: str, runs: int, scope: Scope) -> Sequence[float]:
        with self._reading(scope) as execute:
            return times(lambda: execute(query).fetchall(), runs, time.monotonic() + scope.seconds)

    def plan(self, query: str, scope: Scope) -> Sequence[str]:
        with self._reading(scope) as execute:
            return [str(row[0]) for row in execute(f"explain (analyze, buffers) {query}")]

    def no_figures(self, table: Table, check: Check, *, numbers: bool) -> Sequence[ProvisionError]:
        body: Any = check.body
        with self._reading(Scope(seconds=60)) as execute:
            kind = refused.types_of(execute, table.name)[body["column"]]
        if numbers and kind not in _NUMBERS:
            what = f"{check.name}: {body['column']} is {kind}, no number"
            return [ConfigError("bad-expression", what, where=check.place, fix="name a column of numbers")]
        query = f"select {', '.join(_figures(body, kind))} from {table_name(table.name)} limit 0"
        return list(refused.refusals(self._alone, f"explain {query}", table, check, {}))

    def figures(self, table: Table, check: Check, scope: Scope) -> Mapping[str, float]:
        body: Any = check.body
        names = [each for each, _ in limits(body)]
        narrowed = clause(where(table.time, table.tenant, scope))
        with self._reading(scope) as execute:
            kind = refused.types_of(execute, table.name)[body["column"]]
            query = f"select {', '.join(_figures(body, kind))} from {table_name(table.name)}{narrowed}"
            row = execute(query).fetchone() or ()
        return {each: float(value) for each, value in zip(names, row, strict=True) if value is not None}


def _nested(query: str) -> str:
    # The line ends keep a comment inside it from eating what follows.
    return f"(\n{query}\n) answered"


def _parts(kind: str) -> tuple[str, str]:
    """`timestamp(3) with time zone` as the type and its size."""
    size = "".join(re.findall(r"\(([^)]*)\)", kind)).replace(" ", "")
    return " ".join(re.sub(r"\s*\([^)]*\)", "", kind).split()), size


def _figures(body: Mapping[str, Any], kind: str) -> list[str]:
    """An expression for each figure, in the order of `limits`."""
    column = name(body["column"])
    kept = f" filter (where {column} not in ('NaN', 'Infinity', '-Infinity'))" if kind in ENDLESS else ""
    found = [f"avg({column}::float8){kept}"] if "mean" in body else []
    for each in body.get("quantiles", {}).get("at", ()):
        found.append(f"percentile_cont({each!r}::float8) within group (order by {column}::float8){kept}")
    if "share" in body:
        is_it = f"({column} = {literal(body['share']['of'])}) is true"
        found.append(f"count(*) filter (where {is_it})::float8 / nullif(count(*), 0)")
    return found
