"""`distribution`: mean, quantiles and shares of a column against what earlier runs found over the same rows."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Any

from provision.errors import ProvisionError
from provision.model.checks import Check, Scope, Table, Tally
from provision.validate.across import AcrossResult, CheckContext, seen
from provision.validate.columns import COLUMN, SCALAR, body
from provision.validate.scan import since

RUNS, LEAST = 30, 5
_CHANGE = {"type": "number", "minimum": 0, "description": "a share of what is usual: 0.1 allows a tenth more or less"}
_BY = {"type": "number", "minimum": 0, "description": "how far from what is usual, in the unit of the column"}
_LIMITS = {"change": _CHANGE, "by": _BY}
_ONE_LIMIT = {"oneOf": [{"required": ["change"]}, {"required": ["by"]}]}


class Distribution:
    """`provision.validate.across.Across`; usual is the median of the runs before, of which there must be `history`."""

    schema: Mapping[str, Any] = {
        **body(
            ("column",),
            {
                "column": COLUMN,
                "mean": {**body((), _LIMITS, "`{change: 0.1}` or `{by: 0.5}`"), **_ONE_LIMIT},
                "quantiles": {
                    **body(
                        ("at",),
                        {
                            "at": {
                                "type": "array",
                                "minItems": 1,
                                "items": {
                                    "type": "number",
                                    "minimum": 0,
                                    "maximum": 1,
                                    "description": "a quantile: 0.5 is the median",
                                },
                                "description": "a list of quantiles from 0 to 1",
                            },
                            **_LIMITS,
                        },
                        "`{at: [0.5, 0.99], change: 0.2}`",
                    ),
                    **_ONE_LIMIT,
                },
                "share": body(
                    ("of", "by"), {"of": {**SCALAR, "description": "a value"}, "by": _BY}, "`{of: BUY, by: 0.05}`"
                ),
                "history": {
                    "type": "integer",
                    "minimum": 1,
                    "description": f"the least number of runs; else {LEAST}",
                },
            },
            "`{column: …, mean: {change: 0.1}}`",
        ),
        "anyOf": [{"required": [each]} for each in ("mean", "quantiles", "share")],
    }

    def stores(self, _check: Check, _table: Table) -> Sequence[str]:
        return ()

    def unfit(self, _check: Check, _scope: Scope) -> str:
        return ""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        wanted: Any = check.body
        queries = world.queries(table.store, check.kind)
        return seen(world, table, check, [wanted["column"]]) or queries.no_figures(
            table, check, numbers="mean" in wanted or "quantiles" in wanted
        )

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, rows: int, _limit: int
    ) -> AcrossResult:
        wanted: Any = check.body
        begun, least = time.monotonic(), wanted.get("history", LEAST)
        figures = world.queries(table.store, check.kind).figures(table, check, scope)
        before = world.figures(table, check)[:RUNS]
        if len(before) < least and rows:
            message = f"{len(before)} of {least} earlier runs to compare with"
            return AcrossResult(Tally(0, rows, message, since(begun), judged=False, figures=figures))
        odd = list(_odd(wanted, figures, before)) if rows else []
        return AcrossResult(Tally(len(odd), rows, "; ".join(odd), since(begun), figures=figures))


def limits(wanted: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The name of each figure with what it may differ by."""
    if "mean" in wanted:
        yield "mean", wanted["mean"]
    for each in wanted.get("quantiles", {}).get("at", ()):
        yield f"p{each * 100:g}", wanted["quantiles"]
    if "share" in wanted:
        yield "share", wanted["share"]


def _odd(wanted: Mapping[str, Any], now: Mapping[str, float], before: Sequence[Mapping[str, float]]) -> Iterator[str]:
    for name, limit in limits(wanted):
        known = [each[name] for each in before if name in each]
        if not known:
            continue
        usual = median(known)
        most = limit["by"] if "by" in limit else limit["change"] * abs(usual)
        if name not in now:
            yield f"{name}: there is none, usually {usual:.6g}"
        elif abs(now[name] - usual) > most * (1 + 1e-9):
            yield f"{name} {now[name]:.6g}, usually {usual:.6g}"
