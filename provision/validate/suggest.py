"""Writes a suite from what a table holds now: types, NULLs, ranges, values, keys and references."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from provision.model.checks import Column, Scope
from provision.ports.validate import Queries

# More different values than this are no list of accepted ones, and with fewer rows for each they may be chance.
_VALUES, _ROWS_PER_VALUE = 12, 5
# In fewer rows every value is different by chance.
_KEY_ROWS = 100
_NUMBER = re.compile(r"^(smallint|integer|bigint|numeric|real|double|U?Int\d|Float|Decimal)")
_TEXT = re.compile(r"^(text|character|LowCardinality\(String|String|Enum)(?!.*\[\]$)")
_MOMENT = re.compile(r"^(timestamp|DateTime)")
_KEY = re.compile(r"^(uuid|UUID|smallint|integer|bigint|text|character|U?Int\d|String)(?!.*\[\]$)")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a column holds: rows, those with a value, different values, the least and greatest, values if few."""

    column: Column
    rows: int
    there: int
    different: int
    odd: int
    low: object = None
    high: object = None
    values: tuple[str, ...] = ()


def suite(store: str, table: str, queries: Queries, scope: Scope) -> str:
    """The suite as YAML with comments; the checks in it pass on the rows that it was made from."""
    columns = list(queries.columns(table))
    seen = [_look(column, table, queries, scope) for column in columns]
    rows = seen[0].rows if seen else 0
    moments = [each.column.name for each in seen if _MOMENT.match(each.column.type)]
    lines = [
        f"# Suggested from {rows:,} rows on {datetime.now(UTC):%Y-%m-%d}.",
        "# It says what they hold, not what they should: read every line.",
        f"store: {json.dumps(store, ensure_ascii=False)}",
        f"table: {json.dumps(table, ensure_ascii=False)}",
        *([f"time: {json.dumps(moments[0], ensure_ascii=False)}"] if moments else []),
        f"rows_required: {str(rows > 0).lower()}",
        "checks:",
    ]
    taken: set[str] = set()
    for comment, name, kind, body in _checks(seen, table, queries):
        unique = _name(name, taken)
        lines += [f"  # {comment}", f"  - name: {unique}"]
        lines.append(f"    {kind}: {json.dumps(body, ensure_ascii=False)}")
    if moments:
        lines += ["  # How old may the newest row be?", "  # - name: rows_stale", "  #   freshness: {within: 1d}"]
    return "\n".join(lines) + "\n"


def _look(column: Column, table: str, queries: Queries, scope: Scope) -> Seen:
    name, source = _quoted(column.name), ".".join(map(_quoted, table.split(".")))
    number, text = _NUMBER.match(column.type), _TEXT.match(column.type)
    compared = bool(number or text or _KEY.match(column.type))
    asked = ["count(*)", f"count({name})", f"count(distinct {name})" if compared else "0"]
    if number:
        asked += [f"count(case when {name} <> {name} then 1 end)", f"min({name})", f"max({name})"]
    # Names that no column has: ClickHouse would take an alias for a column of that name.
    listed = ", ".join(f"{each} as {_quoted(f'figure {at}')}" for at, each in enumerate(asked))
    row = list(queries.rows(f"select {listed} from {source}", (), scope, 1)[0].values())
    rows, there, different = (int(str(each)) for each in row[:3])
    values: tuple[str, ...] = ()
    if text and 0 < different <= _VALUES and there >= different * _ROWS_PER_VALUE:
        found = queries.rows(f"select distinct {name} from {source} where {name} is not null", (), scope, _VALUES)
        values = tuple(sorted(str(value) for each in found for value in each.values()))
    # NaN is no number, unlike itself in ClickHouse and the greatest of all in PostgreSQL.
    unlike, low, high = row[3:] if number else (0, None, None)
    odd = int(str(unlike)) + (isinstance(high, float | Decimal) and math.isnan(high))
    return Seen(column, rows, there, different, odd, low, high, values)


def _checks(seen: Sequence[Seen], table: str, queries: Queries) -> Iterator[tuple[str, str, str, object]]:
    """Comment, name, kind and body of each check."""
    types = {each.column.name: {"type": each.column.type, "nullable": each.column.nullable} for each in seen}
    yield (
        "the columns as they are; `extra: false` also refuses any other",
        "columns_changed",
        "columns",
        {"expected": types},
    )
    full = [each.column.name for each in seen if each.rows and each.there == each.rows and not each.odd]
    if full:
        yield f"no NULL in {len(full)} of {len(seen)} columns", "value_missing", "not_null", full
    for each in seen:
        null = {"allow_null": True} if each.there < each.rows or each.column.nullable else {}
        if bounds := _bounds(each):
            words = f"from {each.low} to {each.high} now, with room"
            yield words, f"{each.column.name}_out_of_range", "range", {"column": each.column.name, **bounds, **null}
        if each.values:
            words = f"{len(each.values)} values in {each.there:,} rows"
            body = {"column": each.column.name, "values": list(each.values), **null}
            yield words, f"{each.column.name}_unknown", "accepted_values", body
    keys = [tuple(key) for key in queries.keys(table)]
    for key in keys:
        yield "the database keeps it unique", f"{'_'.join(key)}_given_twice", "unique", list(key)
    for each in seen:
        if _is_key(each) and (each.column.name,) not in keys:
            yield "every value is another one now", f"{each.column.name}_given_twice", "unique", [each.column.name]
    for ours, other, theirs in queries.references(table):
        body = {"column": list(ours), "to": {"table": other.replace('"', ""), "column": list(theirs)}}
        yield "a foreign key says so", f"{'_'.join(ours)}_refers_to_nothing", "reference", body


def _bounds(each: Seen) -> Mapping[str, float]:
    """A range that holds what is there, wider than that: a share is from 0 to 1, what is never negative is from 0."""
    ends = [float(value) for value in (each.low, each.high) if isinstance(value, int | float | Decimal)]
    if len(ends) < 2 or each.odd or not all(map(math.isfinite, ends)) or _is_key(each):
        return {}
    low, high = ends
    if low >= 0 and high <= 1 and not re.match(r"^(smallint|integer|bigint|U?Int)", each.column.type):
        return {"min": 0, "max": 1}
    return {"min": 0 if low >= 0 else -_wider(-low), "max": _wider(high) if high > 0 else 0}


def _is_key(each: Seen) -> bool:
    """Whether every value is another one, so that its greatest says nothing."""
    return bool(_KEY.match(each.column.type)) and each.different == each.there >= _KEY_ROWS


def _wider(value: float) -> float:
    """The next number of one digit and zeros that is at least twice as much: 837 → 2000."""
    size = 10.0 ** math.floor(math.log10(2 * value))
    found = math.ceil(2 * value / size) * size
    return int(found) if found >= 1 and found < 2**53 else float(f"{found:.6g}")


def _name(wanted: str, taken: set[str]) -> str:
    base = re.sub(r"[^a-z0-9_]+", "_", wanted.lower()).strip("_")
    base = base if re.match("[a-z]", base) else f"column_{base}".rstrip("_")
    name, n = base, 1
    while name in taken or name == "rows":
        n += 1
        name = f"{base}_{n}"
    taken.add(name)
    return name


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
