"""`reference` to a table of another store: both sides' keys are read in order, side by side, a block at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.errors import ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.model.comparable import ComparableTable, Key
from provision.text.plain import MASKED
from provision.validate.across import AcrossResult, CheckContext, Sided, agreed, incomparable, same_length, seen
from provision.validate.columns import REFERENCE, columns
from provision.validate.written import readable


class Reference:
    """`provision.validate.across.Across`."""

    schema: Mapping[str, Any] = REFERENCE

    def stores(self, check: Check, table: Table) -> Sequence[str]:
        return [_store(check, table)]

    def unfit(self, _check: Check, _scope: Scope) -> str:
        return ""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        ours, theirs = _columns(check)
        there = Table(_store(check, table), _to(check)["table"])
        return [
            *same_length(check, ours, theirs),
            *seen(world, table, check, ours),
            *seen(world, there, check, theirs),
        ] or incomparable(world, check, *_sheets(check, table))

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, rows: int, limit: int
    ) -> AcrossResult:
        begun = time.monotonic()
        store = _store(check, table)
        left, right = agreed(world, check, *_sheets(check, table))
        bad, samples = 0, list[Row]()
        # Their side may hold rows of every time and tenant: a reference may lead out of the scope.
        known = world.keyed(store).keys(right, Scope(seconds=scope.seconds))
        for key, count in orphans(world.keyed(table.store).keys(left, scope), known):
            bad += count
            if len(samples) < limit:
                named = zip(left.columns, left.forms, key, strict=True)
                shown = {name: MASKED if name in check.mask else readable(form, each) for name, form, each in named}
                samples.append({**shown, "rows": count})
        message = f"not in {store} {right.table}" if bad else ""
        taken = round((time.monotonic() - begun) * 1000)
        return AcrossResult(Tally(bad, rows, message, taken), tuple(samples))


def orphans(ours: Iterator[tuple[Key, int]], theirs: Iterator[tuple[Key, int]]) -> Iterator[tuple[Key, int]]:
    """What of ours is not among theirs; both come in order."""
    known = next(theirs, None)
    for key, count in ours:
        while known is not None and known[0] < key:
            known = next(theirs, None)
        if known is None or known[0] != key:
            yield key, count


def _sheets(check: Check, table: Table) -> tuple[Sided, Sided]:
    ours, theirs = _columns(check)
    left = ComparableTable(table.name, ours, key=len(ours), time=table.time, tenant=table.tenant, options=table.options)
    right = ComparableTable(_to(check)["table"], theirs, key=len(theirs))
    return (table.store, left), (_store(check, table), right)


def _to(check: Check) -> Mapping[str, Any]:
    body: Any = check.body
    to: Mapping[str, Any] = body["to"]
    return to


def _store(check: Check, table: Table) -> str:
    return str(_to(check).get("store", table.store))


def _columns(check: Check) -> tuple[tuple[str, ...], tuple[str, ...]]:
    body: Any = check.body
    return columns(body["column"]), columns(_to(check)["column"])
