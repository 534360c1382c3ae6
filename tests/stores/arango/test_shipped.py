"""The project's own ArangoDB documents: the second document's graph, mended, as raw requests see it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.kinds import build
from provision.model import Direction, StoreOptions
from provision.model.statements import Outcome
from provision.stores.arango.store import ArangoStore
from tests.stores.arango.moves import fates, move, opened
from tests.stores.arango.raw import Raw

ROOT = Path(__file__).parents[3]
DEPENDENCY = {
    "_from": "probabilistic_nodes/indicator_rsi",
    "_to": "probabilistic_nodes/ensemble_aggregator",
    "dependency_type": "probability_input",
    "weight": 0.25,
    "confidence_impact": 0.8,
    "uncertainty_propagation": 0.2,
    "tenant_id": "acme",
}
NODE = {
    "component_type": "indicator",
    "component_name": "RSI",
    "confidence_contribution": 0.8,
    "uncertainty_contribution": 0.2,
    "tenant_id": "acme",
}
STEP = {
    "_from": "probabilistic_nodes/indicator_rsi",
    "_to": "probabilistic_nodes/ensemble_aggregator",
    "decision_id": "00000000-0000-4000-8000-00000000000a",
    "confidence_in": 0.8,
    "confidence_out": 0.64,
    "tenant_id": "acme",
    "propagated_at": "2026-01-02T15:04:05Z",
}
GOOD = {"probabilistic_nodes": NODE, "probability_dependencies": DEPENDENCY, "confidence_propagation": STEP}
# Every attribute that is a share or a probability.
SHARES = {
    "probabilistic_nodes": ("confidence_contribution", "uncertainty_contribution"),
    "probability_dependencies": ("weight", "confidence_impact", "uncertainty_propagation"),
    "confidence_propagation": ("confidence_in", "confidence_out", "uncertainty_added"),
}


@pytest.fixture
def store(raw: Raw) -> Iterator[ArangoStore]:
    made = build(StoreOptions("arango", "arango", "vfr", ROOT / "arango", ROOT))
    assert isinstance(made, ArangoStore)
    yield opened(made, raw.url)
    made.close()


def test_collections_indexes_and_graph(store: ArangoStore, raw: Raw) -> None:
    move(store)
    assert raw.collections() == {
        "probabilistic_nodes": 2,
        "probability_dependencies": 3,
        "confidence_propagation": 3,
    }
    made = {
        (collection, name): (index["type"], index["fields"], index["unique"])
        for collection in raw.collections()
        for name, index in raw.indexes(collection).items()
    }
    assert made == {
        ("probabilistic_nodes", "by_type_and_tenant"): ("persistent", ["component_type", "tenant_id"], False),
        ("probability_dependencies", "by_type_and_impact"): (
            "persistent",
            ["dependency_type", "confidence_impact"],
            False,
        ),
        ("probability_dependencies", "by_tenant"): ("persistent", ["tenant_id"], False),
        ("confidence_propagation", "by_tenant_and_decision"): ("persistent", ["tenant_id", "decision_id"], False),
    }
    [graph] = raw.ask("GET", "/_api/gharial")["graphs"]
    assert graph["name"] == "probability_graph"
    assert sorted(each["collection"] for each in graph["edgeDefinitions"]) == [
        "confidence_propagation",
        "probability_dependencies",
    ]


def test_graph_is_walked_over_the_sample(store: ArangoStore, raw: Raw) -> None:
    move(store)
    query = "FOR v IN 1..2 OUTBOUND 'probabilistic_nodes/indicator_rsi' GRAPH 'probability_graph' RETURN v._key"
    assert raw.rows(query) == ["ensemble_aggregator"]
    assert raw.rows(
        "FOR d IN probabilistic_nodes FILTER d._key == 'model_xgboost_v1_2' RETURN d.performance_metrics"
    ) == [{"accuracy": 0.78, "calibration": 0.82, "reliability": 0.88}]


@pytest.mark.parametrize("collection", list(GOOD))
def test_values_out_of_range_or_missing_are_refused(store: ArangoStore, raw: Raw, collection: str) -> None:
    move(store)
    good: dict[str, Any] = GOOD[collection]
    bad = [{**good, name: value} for name in SHARES[collection] for value in (-0.01, 1.01, "0.5", None)]
    bad += [{key: value for key, value in good.items() if key != "tenant_id"}, {**good, "tenat_id": "acme"}]
    for each in bad:
        status, body = raw.answer("POST", f"/_api/document/{collection}", each)
        assert (status, body["errorNum"]) == (400, 1620), each
    edges = [{**good, name: value} for name in SHARES[collection] for value in (0, 1)]
    for each in [good, *edges]:
        assert raw.answer("POST", f"/_api/document/{collection}", each)[0] in (201, 202), each


def test_three_rounds_end_alike(store: ArangoStore, raw: Raw) -> None:
    seen = []
    for _ in range(3):
        move(store)
        assert {fate.outcome for fate in fates(store)} == {Outcome.DONE}
        properties = {
            name: {key: raw.properties(name)[key] for key in ("type", "schema")} for name in sorted(raw.collections())
        }
        seen.append((properties, raw.rows("FOR d IN probabilistic_nodes SORT d._key RETURN UNSET(d, '_rev')")))
        move(store, Direction.DOWN)
        assert raw.collections() == {}
        assert raw.ask("GET", "/_api/gharial")["graphs"] == []
    assert seen[0] == seen[1] == seen[2]


def test_requirements_name_revisions_of_the_stores_that_hold_the_data(store: ArangoStore) -> None:
    found = {revision.number: revision.requires for revision in store.revisions() if revision.requires}
    assert found == {"0001": ("postgres/0001", "postgres/0004"), "0003": ("clickhouse/001",)}
    for required in [each for requires in found.values() for each in requires]:
        folder, number = required.replace("postgres/", "alembic/versions/").rsplit("/", 1)
        assert list((ROOT / folder).glob(f"{number}_*")), required


@pytest.mark.parametrize("path", sorted((ROOT / "arango").glob("*.yaml")), ids=lambda path: path.stem)
def test_documents_tell_editors_their_schema(path: Path) -> None:
    assert path.read_text().startswith("# yaml-language-server: $schema=../docs/schemas/arango.json\n")
