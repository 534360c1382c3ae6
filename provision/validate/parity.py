"""`parity`: two tables hold the same rows; counts, first and last keys and checksums are compared range by range."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from provision.errors import ProvisionError
from provision.model.checks import (
    INTEGER,
    MOMENT,
    NUMBER,
    Check,
    ComparableTable,
    Digest,
    Key,
    Row,
    Scope,
    Table,
    Tally,
)
from provision.ports.validate import Keyed
from provision.text.plain import MASKED, plain
from provision.validate.across import AcrossResult, CheckContext, agreed, same_length, seen
from provision.validate.columns import COLUMNS, body, columns

PARTS = 32
# Ranges of no more rows than this are fetched and compared row by row.
FEW = 2_000
# After so many differing rows the exact number says nothing more.
ENOUGH = 10_000
_TEXT = {"type": "string", "minLength": 1}


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two tables."""

    keyed: Keyed
    sheet: ComparableTable


@dataclass(slots=True)
class Differences:
    """What is only on one side; a row that was changed is on both, with one key."""

    here: Counter[Key] = field(default_factory=Counter)
    there: Counter[Key] = field(default_factory=Counter)

    def rows(self, key: int) -> dict[Key, tuple[Key | None, Key | None]]:
        """Each differing key with the row of either side, where there is one."""
        found: dict[Key, tuple[Key | None, Key | None]] = {row[:key]: (row, None) for row in self.here}
        for row in self.there:
            found[row[:key]] = (found.get(row[:key], (None, None))[0], row)
        return found


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
                "maximum": 6,
                "description": "decimals of a number that must agree; else 6",
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
        left, right = _sheets(check, table)
        other = _with(check)
        there = Table(other["store"], other["table"], (), other.get("time"), other.get("tenant"))
        return [
            *same_length(check, left.columns, right.columns),
            *seen(world, table, check, left.columns),
            *seen(world, there, check, right.columns),
        ]

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, _rows: int, limit: int
    ) -> AcrossResult:
        begun = time.monotonic()
        store = _with(check)["store"]
        left, right = agreed(world, *zip((table.store, store), _sheets(check, table), strict=True))
        here, there = Side(world.keyed(table.store), left), Side(world.keyed(store), right)
        found = Differences()
        ours, theirs = (side.keyed.digests(side.sheet, scope, (None, None))[0] for side in (here, there))
        for low, high in _ranges(here, there, scope, (None, None), (ours, theirs)):
            _compare(here, there, scope, low, high, found)
            if len(found.here) + len(found.there) >= ENOUGH:
                break
        bad = found.rows(left.key)
        message = _difference(ours, theirs, store, cut=len(found.here) + len(found.there) >= ENOUGH) if bad else ""
        taken = round((time.monotonic() - begun) * 1000)
        shown = list(bad.items())[:limit]
        return AcrossResult(
            Tally(len(bad), max(ours.rows, theirs.rows), message, taken),
            tuple(_sample(left, key, pair, check.mask) for key, pair in shown),
        )


def _ranges(
    here: Side, there: Side, scope: Scope, ends: tuple[Key | None, Key | None], digests: tuple[Digest, Digest]
) -> Iterator[tuple[Key | None, Key | None]]:
    """The ranges of few rows in which the sides differ."""
    ours, theirs = digests
    if ours == theirs:
        return
    larger = here if ours.rows >= theirs.rows else there
    cuts = larger.keyed.split(larger.sheet, scope, *ends, PARTS) if max(ours.rows, theirs.rows) > FEW else ()
    if not cuts:  # few rows, or all of one key
        yield ends
        return
    bounds = (ends[0], *cuts, ends[1])
    left, right = (side.keyed.digests(side.sheet, scope, bounds) for side in (here, there))
    for part, pair in enumerate(zip(left, right, strict=True)):
        yield from _ranges(here, there, scope, (bounds[part], bounds[part + 1]), pair)


def _compare(here: Side, there: Side, scope: Scope, low: Key | None, high: Key | None, found: Differences) -> None:
    ours, theirs = (Counter(side.keyed.rows(side.sheet, scope, low, high, ENOUGH)) for side in (here, there))
    found.here.update(ours - theirs)
    found.there.update(theirs - ours)


def _sample(sheet: ComparableTable, key: Key, pair: tuple[Key | None, Key | None], mask: Sequence[str]) -> Row:
    """The key, and of the other columns those that differ, as they are here and there."""
    row: dict[str, object] = {
        name: MASKED if name in mask else _readable(form, sheet.places, value)
        for name, form, value in zip(sheet.columns, sheet.forms, key, strict=False)
    }
    here, there = pair
    if here is None or there is None:
        return {**row, "missing": "here" if here is None else "there"}
    for name, form, ours, theirs in zip(sheet.columns, sheet.forms, here, there, strict=True):
        if ours != theirs:
            values = {"here": _readable(form, sheet.places, ours), "there": _readable(form, sheet.places, theirs)}
            row[name] = MASKED if name in mask else values
    return row


def _readable(form: str, places: int, value: str) -> object:
    """A value as people write it, from the form in which stores compare it."""
    if value == "∅":
        return None
    if re.fullmatch(r"-?\d+", value) is None:
        return value
    if form == MOMENT:
        return plain(datetime.fromtimestamp(int(value) / 1000, UTC))
    return int(value) / 10**places if form == NUMBER else int(value) if form == INTEGER else value


def _difference(ours: Digest, theirs: Digest, store: str, *, cut: bool) -> str:
    parts = ["at least as many rows differ"] if cut else []
    if ours.rows != theirs.rows:
        parts.append(f"{ours.rows:,} rows here, {theirs.rows:,} in {store}")
    if (ours.low, ours.high) != (theirs.low, theirs.high):
        parts.append(f"keys from {ours.low} to {ours.high} here, from {theirs.low} to {theirs.high} in {store}")
    return "; ".join(parts) or f"values differ from those in {store}"


def _with(check: Check) -> Mapping[str, Any]:
    whole: Any = check.body
    other: Mapping[str, Any] = whole["with"]
    return other


def _sheets(check: Check, table: Table) -> tuple[ComparableTable, ComparableTable]:
    whole: Any = check.body
    other = _with(check)
    key, rest = columns(whole["key"]), columns(whole.get("columns"))
    their_key, their_rest = columns(other.get("key")) or key, columns(other.get("columns")) or rest
    places = whole.get("places", 6)
    ours = ComparableTable(table.name, (*key, *rest), (), len(key), places, table.time, table.tenant, table.options)
    return ours, ComparableTable(
        other["table"], (*their_key, *their_rest), (), len(their_key), places, other.get("time"), other.get("tenant")
    )
