"""`volume`: a table holds about as many rows as it usually does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from provision.errors import ProvisionError
from provision.model.checks import Check, Scope, Table, Tally
from provision.validate.across import AcrossResult, CheckContext
from provision.validate.columns import body

RUNS = 7
_COUNT = {"type": "integer", "minimum": 0, "description": "a number of rows"}
_CHANGE = {"type": "number", "minimum": 0, "description": "a share: 0.5 allows half as many rows more or less"}


class Volume:
    """`provision.validate.across.Across`; usual is the median of the last seven runs."""

    schema: Mapping[str, Any] = {
        **body((), {"min": _COUNT, "max": _COUNT, "change": _CHANGE}, "`{change: 0.5}`, or `{min: …, max: …}`"),
        "minProperties": 1,
    }

    def stores(self, _check: Check, _table: Table) -> Sequence[str]:
        return ()

    def unfit(self, _check: Check, _scope: Scope) -> str:
        return ""

    def refused(self, _check: Check, _table: Table, _world: CheckContext) -> Sequence[ProvisionError]:
        return ()

    def find(
        self, check: Check, table: Table, _scope: Scope, world: CheckContext, rows: int, _limit: int
    ) -> AcrossResult:
        wanted: Any = check.body
        if rows < wanted.get("min", rows):
            return AcrossResult(Tally(1, rows, f"{rows:,} rows, {wanted['min']:,} at least are wanted"))
        if rows > wanted.get("max", rows):
            return AcrossResult(Tally(1, rows, f"{rows:,} rows, {wanted['max']:,} at most are wanted"))
        if "change" not in wanted:
            return AcrossResult(Tally(0, rows))
        earlier = world.totals(table, check)[:RUNS]
        if not earlier:
            return AcrossResult(Tally(0, rows, "the first run: nothing to compare with", judged=False))
        usual = median(earlier)
        odd = abs(rows - usual) > wanted["change"] * max(usual, 1)
        return AcrossResult(Tally(int(odd), rows, f"{rows:,} rows, usually {usual:,.0f}"))
