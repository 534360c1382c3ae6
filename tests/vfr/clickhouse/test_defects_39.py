"""The document's PostgreSQL indexes of a ClickHouse table: refused as written; the shipped skip indexes are used."""

from __future__ import annotations

import json

import pytest

from provision.errors import FailedError

from .engine import Database
from .rows import DECISION, FEEDBACK, ID

DECISIONS = "trading_decisions_probabilistic"
EVENTS = "model_feedback_events"
SEED = {
    "idx_prob_decisions_confidence_time": "(aggregated_confidence DESC, timestamp DESC)",
    "idx_prob_decisions_symbol_confidence": "(symbol, aggregated_confidence DESC) WHERE aggregated_confidence >= 0.7",
    "idx_prob_decisions_uncertainty_symbol": "(epistemic_uncertainty, symbol, timestamp)",
}
# index → its table, its type, a question that no row answers
SHIPPED = {
    "idx_prob_decisions_id": (DECISIONS, "bloom_filter(0.01)", f"id = '{ID.format(5)}'"),
    "idx_prob_decisions_confidence_time": (DECISIONS, "minmax", "aggregated_confidence > 0.99"),
    "idx_prob_decisions_symbol": (DECISIONS, "set(1000)", "symbol = 'ETH'"),
    "idx_prob_decisions_uncertainty": (DECISIONS, "minmax", "epistemic_uncertainty > 0.99"),
    "idx_feedback_prediction_id": (EVENTS, "bloom_filter(0.01)", f"prediction_id = '{ID.format(5)}'"),
}
INDEXES = "SELECT name, table, type_full FROM system.data_skipping_indices WHERE database = '{}' ORDER BY 1"


@pytest.mark.parametrize("index", SEED)
def test_index_of_the_document_is_a_syntax_error(migrated: Database, index: str) -> None:
    before = migrated.schema()
    with pytest.raises(FailedError, match=r"Code: 62\..*\(SYNTAX_ERROR\)") as caught:
        migrated.run(f"CREATE INDEX CONCURRENTLY {index} ON {DECISIONS} {SEED[index]}")
    assert f"({index}): {index} ON {DECISIONS}" in caught.value.what
    assert "Expected one of: ON" in caught.value.what
    assert migrated.schema() == before


def test_shipped_indexes_are_there_and_no_others(migrated: Database) -> None:
    shipped = sorted((name, table, kind) for name, (table, kind, _) in SHIPPED.items())
    assert migrated.rows(INDEXES.format(migrated.name)) == shipped


@pytest.mark.parametrize("index", SHIPPED)
def test_shipped_index_is_used_and_leaves_no_part_to_read(migrated: Database, index: str) -> None:
    table, _, where = SHIPPED[index]
    # One insert of two tenants: the sort key, which begins with the tenant, cannot leave its part out.
    row = DECISION if table == DECISIONS else FEEDBACK
    rows = "".join(json.dumps(row | {"tenant_id": tenant}) for tenant in ("acme", "globex"))
    migrated.run(f"INSERT INTO {table} FORMAT JSONEachRow {rows}")
    plan = migrated.rows(f"EXPLAIN indexes = 1 SELECT * FROM {migrated.name}.{table} WHERE {where}")
    lines = [str(line).strip() for (line,) in plan]
    used = lines[lines.index(f"Name: {index}") :]
    assert next(line for line in used if line.startswith("Parts: ")) == "Parts: 0/1"
