"""Forecasts: what rows cost is multiplied, what they do not cost is not, and history goes before both."""

from __future__ import annotations

from provision.flows.forecast import FEWEST, RehearsedRevision, forecasts, slower
from provision.model.stats import EnvironmentStats, RevisionCost, StatementCost, StoreStats, TableStats

INDEX = StatementCost(8, small_ms=2, large_ms=42, rows={"public.orders": 40_000}, bytes={"public.orders": 50})


def stats(
    rows: int, size: int, applied: dict[str, int | None] | None = None, fixed: float | None = None
) -> EnvironmentStats:
    stores = {"pg": StoreStats({"public.orders": TableStats(rows, size)}, fixed)}
    return EnvironmentStats("shop", "production", "", stores, applied or {})


def one(found: EnvironmentStats, cost: RevisionCost, up_ms: int = 10) -> tuple[int, str, int, str]:
    [told] = forecasts([RehearsedRevision("pg/0002", up_ms, 1)], {"pg/0002": cost}, found)
    return told.ms, told.basis, told.rows, told.why


def test_rows_cost_what_they_cost_in_the_sample() -> None:
    assert one(stats(1_000_000, 50_000_000), RevisionCost((INDEX,))) == (1010, "measured", 1_000_000, "")


def test_wider_rows_cost_half_as_much_more() -> None:
    assert one(stats(1_000_000, 150_000_000), RevisionCost((INDEX,)))[0] == 2010


def test_table_that_is_not_there_costs_nothing() -> None:
    assert one(EnvironmentStats("shop", "production", ""), RevisionCost((INDEX,))) == (10, "measured", 0, "")


def test_files_that_are_given_back_cost_by_their_size_there() -> None:
    drop = StatementCost(8, small_ms=1, large_ms=1, freed=("public.orders", "public.gone"))
    there = EnvironmentStats(
        "shop", "production", "", {"pg": StoreStats({"public.orders": TableStats(9, 90 * 2**20, 10 * 2**20)}, 30)}
    )
    assert one(there, RevisionCost((drop,), freed_ms=1.5))[0] == 160
    assert one(there, RevisionCost((drop,), fixed_ms=10, freed_ms=1.5))[0] == 460


def test_slow_server_makes_rows_slower() -> None:
    assert one(stats(1_000_000, 50_000_000, fixed=30), RevisionCost((INDEX,), fixed_ms=10))[0] == 3010


def test_what_was_applied_takes_what_it_took() -> None:
    assert one(stats(1_000_000, 1, {"pg/0002": 77}), RevisionCost((INDEX,))) == (77, "history", 0, "")


def test_baseline_is_no_history_and_what_was_not_measured_is_said() -> None:
    cost = RevisionCost((StatementCost(9, not_measured="no rows"),))
    found = one(stats(1, 1, {"pg/0002": None}), cost)
    assert found == (10, "measured", 0, "line 9 was not measured: no rows")
    assert one(stats(1, 1), RevisionCost(not_measured="it needs a server")) == (10, "rehearsed", 0, "it needs a server")


def test_ledger_says_how_much_slower_it_is_there_where_enough_ran_in_both() -> None:
    rehearsed = {f"pg/{number}": 10 for number in range(FEWEST)}
    applied: dict[str, int | None] = dict.fromkeys(rehearsed, 40)
    assert slower("pg", rehearsed, stats(1, 1, applied)) == 4.0
    assert slower("other", rehearsed, stats(1, 1, applied)) == 1.0
    del applied["pg/0"]
    assert slower("pg", rehearsed, stats(1, 1, applied)) == 1.0
