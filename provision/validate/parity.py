"""`parity`: two tables hold the same rows; sums of checksums are compared, span by span of their keys."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from provision.errors import ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.model.comparable import MD5, ComparableTable, Values
from provision.text.plain import MASKED
from provision.validate.across import AcrossResult, CheckContext, Sided, agreed, incomparable, same_length, seen
from provision.validate.bisect import Bisection, Differences
from provision.validate.columns import COLUMNS, body, columns
from provision.validate.written import readable

_TEXT = {"type": "string", "minLength": 1}


class Parity:
    """`provision.validate.across.Across`."""

    schema: Mapping[str, Any] = body(
        ("with", "key"),
        {
            "with": body(
                ("store", "table"),
                {
                    "store": {**_TEXT, "description": "the name of the other store"},
                    "table": {**_TEXT, "description": "the name of its table"},
                    "key": {**COLUMNS, "description": "its key, where the columns have other names there"},
                    "columns": {**COLUMNS, "description": "its columns, where they have other names there"},
                    "time": {**_TEXT, "description": "its column that --since and --until go by"},
                    "tenant": {**_TEXT, "description": "its column that --tenant goes by"},
                },
                "`{store: …, table: …}`",
            ),
            "key": {**COLUMNS, "description": "the column, or columns, that name one row"},
            "columns": {**COLUMNS, "description": "the columns whose values must be the same"},
            "places": {
                "type": "integer",
                "minimum": 0,
                "maximum": 15,
                "description": "decimals of a number that must agree; else all, and of a float every bit",
            },
            "time_places": {
                "type": "integer",
                "minimum": 0,
                "maximum": 6,
                "description": "decimals of a second that must agree; else all",
            },
        },
        "`{with: {store: …, table: …}, key: …, columns: […]}`",
    )

    def stores(self, check: Check, _table: Table) -> Sequence[str]:
        return [_with(check)["store"]]

    def unfit(self, check: Check, scope: Scope) -> str:
        other = _with(check)
        if (scope.since or scope.until) and "time" not in other:
            return "it names no `time` of the other table"
        return "it names no `tenant` of the other table" if scope.tenant and "tenant" not in other else ""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        (_, left), (store, right) = sides = _sides(check, table)
        there = Table(store, right.table, (), right.time, right.tenant)
        return [
            *same_length(check, left.columns, right.columns),
            *seen(world, table, check, left.columns),
            *seen(world, there, check, right.columns),
        ] or incomparable(world, check, *sides)

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, _rows: int, limit: int
    ) -> AcrossResult:
        begun = time.monotonic()
        store = _with(check)["store"]
        left, right = agreed(world, check, *_sides(check, table))
        keyed, other = world.keyed(table.store), world.keyed(store)
        with keyed.snapshot(left, scope) as here, other.snapshot(right, scope) as there:
            found = Bisection(here, there, left, min(keyed.parts, other.parts)).differences()
        differing = _by_key(found)
        # Where some rows differ and too many share a key to say which, one stands for all.
        bad = len(differing) or int(found.cut)
        message = _message(found, store) if bad else ""
        taken = round((time.monotonic() - begun) * 1000)
        samples = (_sample(left, key, found, rows, check.mask) for key, rows in islice(differing.items(), limit))
        return AcrossResult(Tally(bad, max(found.rows), message, taken), tuple(samples))


_Sides = tuple[list[Values], list[Values]]


def _by_key(found: Differences) -> dict[Values, _Sides]:
    """Each differing key with the rows that are on one side alone."""
    keys: dict[Values, _Sides] = {}
    for side, rows in enumerate((found.here, found.there)):
        for row in rows:
            keys.setdefault(row.values[: found.key], ([], []))[side].append(row.values)
    return keys


def _sample(sheet: ComparableTable, key: Values, found: Differences, rows: _Sides, mask: Sequence[str]) -> Row:
    """The key, and what is wrong with it: of a changed row the other columns, as they are here and there."""
    row: dict[str, object] = {
        name: MASKED if name in mask else readable(form, value, sheet.time_places)
        for name, form, value in zip(sheet.columns, sheet.forms, key, strict=False)
    }
    here, there = found.counts[key]
    if not here or not there:
        row["missing"] = "there" if here else "here"
    if max(here, there) > 1:
        sides = [side for side, count in (("here", here), ("there", there)) if count > 1]
        return {**row, "duplicate": " and ".join(sides), "rows": {"here": here, "there": there}}
    if not here or not there:
        return row
    for name, form, ours, theirs in zip(sheet.columns, sheet.forms, rows[0][0], rows[1][0], strict=True):
        if ours != theirs:
            values = [readable(form, value, sheet.time_places) for value in (ours, theirs)]
            row[name] = MASKED if name in mask else {"here": values[0], "there": values[1]}
    return row


def _message(found: Differences, store: str) -> str:
    ours, theirs = found.rows
    parts = ["at least as many rows differ"] if found.cut else []
    if ours != theirs:
        parts.append(f"{ours:,} rows here, {theirs:,} in {store}")
    if double := sum(max(counts) > 1 for counts in found.counts.values()):
        parts.append(f"{double:,} of these keys {'has' if double == 1 else 'have'} more than one row")
    return "; ".join(parts) or f"values differ from those in {store}"


def _with(check: Check) -> Mapping[str, Any]:
    whole: Any = check.body
    other: Mapping[str, Any] = whole["with"]
    return other


def _sides(check: Check, table: Table) -> tuple[Sided, Sided]:
    whole: Any = check.body
    other = _with(check)
    key, rest = columns(whole["key"]), columns(whole.get("columns"))
    their_key, their_rest = columns(other.get("key")) or key, columns(other.get("columns")) or rest
    decimals = whole.get("places"), whole.get("time_places")
    left = ComparableTable(table.name, (*key, *rest), (), (), len(key), MD5, *decimals, table.time, table.tenant)
    right = ComparableTable(other["table"], (*their_key, *their_rest), (), (), len(their_key), MD5, *decimals)
    left = replace(left, options=table.options)
    right = replace(right, time=other.get("time"), tenant=other.get("tenant"))
    return (table.store, left), (other["store"], right)
