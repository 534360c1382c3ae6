"""Times of a question and what they come to, without a server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from provision.errors import CapabilityMissing
from provision.model.checks import Check, CheckSeverity, Result, Scope, Status, Suite, Table
from provision.validate import verdict
from provision.validate.across import CheckContext
from provision.validate.columns import allowed
from provision.validate.compared import beside_before
from provision.validate.latency import Latency, measured
from provision.validate.stopwatch import times

BODY = {"query": "SELECT 1;", "runs": 20, "p95_below": "20ms"}
TABLE = Table("postgres", "items")


class Clockwork:
    """`provision.ports.validate.Timed` that took these times."""

    def __init__(self, taken: Sequence[float]) -> None:
        self.taken = taken
        self.asked: list[tuple[str, int]] = []

    def refused(self, query: str, table: Table, check: Check) -> Sequence[Any]:
        del query, table, check
        return ()

    def times(self, query: str, runs: int, scope: Scope) -> Sequence[float]:
        del scope
        self.asked.append((query, runs))
        return self.taken

    def plan(self, query: str, scope: Scope) -> Sequence[str]:
        del scope
        return [f"plan of {query}", "  Seq Scan"]


def made(timed: Clockwork | None, body: dict[str, Any] | None = None, limit: int = 5) -> Result:
    asked = body or BODY
    check = Check("quick", "latency", asked, fail_if=allowed("latency", asked))
    world = CheckContext({"postgres": cast(Any, SimpleNamespace(timed=timed))}, lambda *_: ())
    found = Latency().find(check, TABLE, Scope(), world, 7, limit)
    return verdict.result(Suite("sla", (TABLE,)), TABLE, check, found.tally, found.samples)


def test_one_slow_run_of_twenty_passes_and_two_fail() -> None:
    one, two = made(Clockwork([1.0] * 19 + [50.0])), made(Clockwork([1.0] * 18 + [20.0, 50.0]))
    assert (one.status, one.bad, one.total) == (Status.PASS, 1, 20)
    assert one.message == "p95 1 ms of 20 runs, below 20ms is wanted"
    assert (two.status, two.bad) == (Status.FAIL, 2)
    assert two.message == "p95 20 ms of 20 runs, below 20ms is wanted"


def test_the_slowest_and_its_plan_are_the_sample() -> None:
    timed = Clockwork([1.0] * 19 + [7.5])
    rows = [{"slowest_ms": 7.5}, {"plan": "plan of SELECT 1"}, {"plan": "  Seq Scan"}]
    assert list(made(timed).samples) == rows
    assert timed.asked == [("SELECT 1", 20)]
    assert made(timed, limit=0).samples == ()


def test_seconds_are_a_bound_too() -> None:
    body = {"query": "SELECT 1", "p95_below": "1.5s"}
    timed = Clockwork([1400.0] * 50)
    assert made(timed, body).status is Status.PASS
    assert timed.asked == [("SELECT 1", 50)]


def test_percentiles_are_times_that_were_measured() -> None:
    assert measured([float(each) for each in range(100, 0, -1)]) == {
        "p50_ms": 50.0, "p95_ms": 95.0, "p99_ms": 99.0, "max_ms": 100.0
    }  # fmt: skip
    assert measured([3.0]) == {"p50_ms": 3.0, "p95_ms": 3.0, "p99_ms": 3.0, "max_ms": 3.0}


def test_a_store_that_answers_no_questions_is_told() -> None:
    with pytest.raises(CapabilityMissing, match="`latency` asks a question of its own"):
        made(None)
    assert Latency().unfit(Check("quick", "latency", BODY), Scope(tenant="acme")) == "its query cannot be narrowed"


def test_the_first_run_is_not_counted_and_the_limit_ends_them() -> None:
    calls: list[int] = []
    assert len(times(lambda: calls.append(1), 5, time.monotonic() + 60)) == 5
    assert len(calls) == 6
    assert len(times(lambda: calls.append(1), 5, time.monotonic() - 1)) == 1


def test_the_run_before_stands_beside_what_was_measured() -> None:
    def result(kind: str, figures: dict[str, float], message: str = "now") -> Result:
        severity = CheckSeverity.HIGH
        return Result("sla", "quick", kind, "p", "t", severity, Status.PASS, message=message, figures=figures)

    found = beside_before(result("latency", {"p95_ms": 3.0, "p50_ms": 1.0}), {"p95_ms": 2.0, "p50_ms": 1.0})
    assert (found.message, found.before) == ("now; before 2 ms (1.50 ×)", {"p95_ms": 2.0, "p50_ms": 1.0})
    other = beside_before(result("distribution", {"mean": 4.0}, ""), {"mean": 0.0, "gone": 1.0})
    assert other.message == "before mean 0"
    none = beside_before(result("latency", {"p95_ms": 3.0}), {})
    assert none.message == "now; no run before to compare with"
    bare = result("range", {})
    assert beside_before(bare, {"mean": 1.0}) is bare
