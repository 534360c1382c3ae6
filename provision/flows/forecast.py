"""Says how long revisions will take in an environment, from what they took in a rehearsal and what is known of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from statistics import median
from typing import NamedTuple

from provision.model.stats import EnvironmentStats, RevisionCost, StatementCost, StoreStats, TableStats

HISTORY, MEASURED, REHEARSED = "history", "measured", "rehearsed"
FEWEST = 3
"""Revisions of one store that ran both there and here, below which nothing is said of how fast the other place is."""
_SLOWEST, _FASTEST = 50.0, 0.2


class RehearsedRevision(NamedTuple):
    """How long a revision took, in milliseconds; None where it was not rehearsed that way."""

    id: str
    up_ms: int | None
    down_ms: int | None


class RevisionForecast(NamedTuple):
    """How long a revision will take in an environment, in milliseconds.

    `basis`: `history`, it was applied there; `measured`, its statements were, on sample rows; `rehearsed`, as long as
    it took on empty tables. `rows`: how many its statements read or write there. `why` says what the number leaves out.
    """

    environment: str
    id: str
    ms: int
    basis: str
    rows: int = 0
    why: str = ""


def forecasts(
    revisions: Iterable[RehearsedRevision], costs: Mapping[str, RevisionCost], stats: EnvironmentStats
) -> Iterator[RevisionForecast]:
    """One for each revision that was rehearsed on its way up; `costs` by the revision's id."""
    rehearsed = {each.id: each.up_ms for each in revisions if each.up_ms is not None}
    for id, up_ms in rehearsed.items():
        took = stats.applied.get(id)
        if took is not None:
            yield RevisionForecast(stats.environment, id, took, HISTORY)
            continue
        store = id.partition("/")[0]
        base = up_ms * slower(store, rehearsed, stats)
        yield _forecast(id, base, costs.get(id, RevisionCost()), stats)


def slower(store: str, rehearsed: Mapping[str, int], stats: EnvironmentStats) -> float:
    """How many times as long the revisions of a store took there, as its ledger says, than here."""
    pairs = [
        (took, rehearsed[id])
        for id, took in stats.applied.items()
        if took is not None and id.partition("/")[0] == store and rehearsed.get(id)
    ]
    if len(pairs) < FEWEST:
        return 1.0
    return min(max(median(took / here for took, here in pairs), _FASTEST), _SLOWEST)


def _forecast(id: str, base: float, cost: RevisionCost, stats: EnvironmentStats) -> RevisionForecast:
    there = stats.stores.get(id.partition("/")[0], StoreStats())
    pace = 1.0
    if there.fixed_ms and cost.fixed_ms:
        pace = min(max(there.fixed_ms / cost.fixed_ms, _FASTEST), _SLOWEST)
    ms, rows, left_out = base, 0, [cost.not_measured] if cost.not_measured else []
    for each in cost.statements:
        if each.not_measured:
            left_out.append(f"line {each.line} was not measured: {each.not_measured}")
            continue
        work, count = _work(each, there.tables)
        ms += max(each.large_ms - each.small_ms, 0.0) * work * pace
        ms += sum(_mib(there.tables.get(name, TableStats())) for name in each.freed) * cost.freed_ms * pace
        rows += count
    basis = MEASURED if cost.statements else REHEARSED
    return RevisionForecast(stats.environment, id, round(ms), basis, rows, "; ".join(left_out))


def _work(cost: StatementCost, tables: Mapping[str, TableStats]) -> tuple[float, int]:
    """How many times the work of the sample it is there, and how many rows that are."""
    sample = sum(cost.rows.values())
    if not sample:
        return 0.0, 0
    there, rows = 0.0, 0
    for name in cost.rows:
        table = tables.get(name, TableStats())
        count = table.rows or 0
        there += count * _wider(table, cost.bytes.get(name, 0))
        rows += count
    return there / sample, rows


def _mib(table: TableStats) -> float:
    """How much the files of a table and of its indexes hold."""
    return ((table.bytes or 0) + (table.index_bytes or 0)) / 2**20


def _wider(table: TableStats, sample: int) -> float:
    """How much more work a row there is than one of the sample; half of it goes by rows, half by bytes."""
    if not (table.rows and table.bytes and sample):
        return 1.0
    return (1 + table.bytes / table.rows / sample) / 2
