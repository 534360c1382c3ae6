"""Every kind of check that is made across stores, by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from provision.model.checks import Check, Table
from provision.validate.across import Across
from provision.validate.assertion import Assert
from provision.validate.distribution import Distribution
from provision.validate.expected_columns import ExpectedColumns
from provision.validate.latency import Latency
from provision.validate.parity import Parity
from provision.validate.reference import Reference
from provision.validate.row_count_ratio import RowCountRatio
from provision.validate.volume import Volume

ACROSS: Mapping[str, Across] = {
    "assert": Assert(),
    "columns": ExpectedColumns(),
    "distribution": Distribution(),
    "latency": Latency(),
    "parity": Parity(),
    "reference": Reference(),
    "row_count_ratio": RowCountRatio(),
    "volume": Volume(),
}


def made_across(check: Check, table: Table, made_by_store: Collection[str]) -> Across | None:
    """What makes the check, where the store does not: a kind that it does not know, or one about another store."""
    across = ACROSS.get(check.kind)
    if across is None:
        return None
    if check.kind not in made_by_store:
        return across
    return across if any(store not in (None, table.store) for store in _named(check)) else None


def _named(check: Check) -> list[str | None]:
    to = check.body.get("to") if isinstance(check.body, Mapping) else None
    return [to.get("store")] if isinstance(to, Mapping) else []
