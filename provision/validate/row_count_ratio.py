"""`row_count_ratio`: how many rows a table has for each row of another, which may lie in any store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provision.errors import ProvisionError
from provision.model.checks import Check, Scope, Table, Tally
from provision.validate.across import AcrossResult, CheckContext
from provision.validate.columns import body

_NAME = {"type": "string", "minLength": 1}
_RATIO = {"type": "number", "minimum": 0}


class RowCountRatio:
    """`provision.validate.across.Across`."""

    schema: Mapping[str, Any] = {
        **body(
            ("to",),
            {
                "to": body(
                    ("table",),
                    {
                        "store": {**_NAME, "description": "the name of another store; else the same one"},
                        "table": {**_NAME, "description": "the name of the table whose rows are divided by"},
                        "time": {**_NAME, "description": "its column that --since and --until go by"},
                        "tenant": {**_NAME, "description": "its column that --tenant goes by"},
                    },
                    "`{table: …}`",
                ),
                "min": {**_RATIO, "description": "the least ratio: 1 is as many rows"},
                "max": {**_RATIO, "description": "the greatest ratio"},
            },
            "`{to: {table: …}, min: 0.9, max: 1.1}`",
        ),
        "minProperties": 2,
    }

    def stores(self, check: Check, table: Table) -> Sequence[str]:
        return [_there(check, table).store]

    def unfit(self, check: Check, scope: Scope) -> str:
        other = _there(check, Table("", ""))
        if (scope.since or scope.until) and other.time is None:
            return "it names no `time` of the other table"
        return "it names no `tenant` of the other table" if scope.tenant is not None and other.tenant is None else ""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        there = _there(check, table)
        return world.checks[there.store].refused(there)

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, rows: int, _limit: int
    ) -> AcrossResult:
        wanted: Any = check.body
        there = _there(check, table)
        others = world.checks[there.store].tally(there, scope)[0].total
        bounds = " to ".join(f"{wanted[key]:g}" for key in ("min", "max") if key in wanted)
        which = "" if {"min", "max"} <= wanted.keys() else " at least" if "min" in wanted else " at most"
        count = f"{rows:,} rows for {others:,} of {there.store} {there.name}"
        # As many as are allowed, without dividing by none.
        bad = rows < wanted.get("min", 0) * others or ("max" in wanted and rows > wanted["max"] * others)
        ratio = f", {rows / others:.4g} for each" if others else ""
        message = f"{count}{ratio}; {bounds}{which} is wanted"
        return AcrossResult(Tally(int(bad), max(rows, others), message))


def _there(check: Check, table: Table) -> Table:
    given: Any = check.body
    to: Mapping[str, str] = given["to"]
    store = to.get("store", table.store)
    return Table(store, to["table"], (), to.get("time"), to.get("tenant"), place=check.place)
