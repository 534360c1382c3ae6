"""`latency`: how long a question takes, asked again and again by one client, at the 95th percentile."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from provision.errors import CapabilityMissing, ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.ports.validate import Timed
from provision.text.durations import typed
from provision.validate.across import AcrossResult, CheckContext
from provision.validate.columns import body
from provision.validate.scan import since

RUNS, FEWEST = 50, 20
_DURATION = {"type": "string", "pattern": r"^[0-9]+([.][0-9]+)?(ms|s)$"}
_PLAN_LINES = 40


class Latency:
    """`provision.validate.across.Across`; a bad row is a run over the bound."""

    schema: Mapping[str, Any] = body(
        ("query", "p95_below"),
        {
            "query": {
                "type": "string",
                "minLength": 1,
                "description": "what is asked, in the store's own language: SQL, InfluxQL or Flux, GraphQL, a command",
            },
            "runs": {
                "type": "integer",
                "minimum": FEWEST,
                "maximum": 100_000,
                "description": f"how often, {FEWEST} or more; else {RUNS}",
            },
            "p95_below": {**_DURATION, "description": "the bound of the 95th percentile: 20ms, 1.5s"},
        },
        "`{query: SELECT …, runs: 50, p95_below: 20ms}`",
    )

    def stores(self, _check: Check, _table: Table) -> Sequence[str]:
        return ()

    def unfit(self, _check: Check, scope: Scope) -> str:
        return "its query cannot be narrowed" if scope.narrowed else ""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        return _timed(world, table).refused(_query(check), table, check)

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, _rows: int, limit: int
    ) -> AcrossResult:
        begun, asked, timed = time.monotonic(), _body(check), _timed(world, table)
        bound = typed(asked["p95_below"]) * 1000
        taken = timed.times(_query(check), int(asked.get("runs", RUNS)), scope)
        figures = measured(taken)
        slow = sum(each >= bound for each in taken)
        message = f"p95 {figures['p95_ms']:.3g} ms of {len(taken)} runs, below {asked['p95_below']} is wanted"
        samples = _slowest(timed, check, scope, max(taken)) if limit else ()
        return AcrossResult(Tally(slow, len(taken), message, since(begun), figures=figures), samples)


def measured(taken: Sequence[float]) -> Mapping[str, float]:
    """p50, p95, p99 and the longest of times in milliseconds, each a time that was measured."""
    ordered = sorted(taken)
    ranks = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "max_ms": 1.0}
    return {name: round(ordered[math.ceil(share * len(ordered)) - 1], 3) for name, share in ranks.items()}


def _slowest(timed: Timed, check: Check, scope: Scope, longest: float) -> tuple[Row, ...]:
    """What the engine says of how it answers, asked once more: no engine keeps the plan of a run that is over."""
    first: Row = {"slowest_ms": round(longest, 3)}
    return (first, *({"plan": line} for line in timed.plan(_query(check), scope)[:_PLAN_LINES]))


def _timed(world: CheckContext, table: Table) -> Timed:
    """Raises CapabilityMissing."""
    # Stores of other packages may have been written before there was such a part.
    found: Timed | None = getattr(world.checks[table.store], "timed", None)
    if found is None:
        what = "`latency` asks a question of its own, which this kind of store does not answer"
        raise CapabilityMissing(table.store, "latency", what, "take the check out of the suite")
    return found


def _body(check: Check) -> Mapping[str, Any]:
    found: Any = check.body
    asked: Mapping[str, Any] = found
    return asked


def _query(check: Check) -> str:
    return str(_body(check)["query"]).strip().rstrip(";")
