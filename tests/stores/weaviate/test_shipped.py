"""The project's own documents: the corrected classes of the second document, three rounds, and what they are for."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provision.documents import document_schema
from provision.kinds import build
from provision.model import Direction, StoreOptions
from provision.stores.weaviate.files import schema
from provision.stores.weaviate.migrate.operations import OPERATIONS
from provision.stores.weaviate.store import WeaviateStore
from tests.stores.weaviate.raw import Mover, Raw

ROOT = Path(__file__).parents[3]
OPTIONS = StoreOptions("weaviate", "weaviate", "vfr", ROOT / "weaviate", ROOT)
# The document's properties; a tenant is no property any more, and vectors are the objects' own.
PATTERN = {
    "pattern_id": "text",
    "symbol": "text",
    "confidence_score": "number",
    "success_probability": "number",
    "pattern_type": "text",
    "market_regime": "text",
    "created_at": "date",
}
EMBEDDING = {
    "embedding_id": "text",
    "symbol": "text",
    "epistemic_uncertainty": "number",
    "aleatoric_uncertainty": "number",
    "context_similarity": "number",
    "timestamp": "date",
}


@pytest.fixture
def store(raw: Raw) -> Iterator[WeaviateStore]:
    made = build(OPTIONS)
    assert isinstance(made, WeaviateStore)
    made.open(raw.url)
    made.ledger.create()
    yield made
    made.close()


def test_three_rounds_leave_nothing_and_make_the_same(store: WeaviateStore, raw: Raw) -> None:
    mover, empty = Mover(store), raw.everything()
    seen = set()
    for _ in range(3):
        mover.move(Direction.UP)
        seen.add(raw.everything())
        mover.move(Direction.DOWN)
        assert raw.everything() == empty
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("alias", "properties", "vectors"),
    [
        ("ProbabilisticPattern", PATTERN, {"pattern_vector": "cosine", "uncertainty_vector": "l2-squared"}),
        ("UncertaintyEmbedding", EMBEDDING, {"uncertainty_vector": "l2-squared"}),
    ],
)
def test_class_is_the_documents_corrected(
    store: WeaviateStore, raw: Raw, alias: str, properties: dict[str, str], vectors: dict[str, str]
) -> None:
    Mover(store).move()
    found = raw.get(f"/schema/{alias}")

    assert found["class"] == f"{alias}V1"
    assert {each["name"]: each["dataType"][0] for each in found["properties"]} == properties
    texts = [each for each in found["properties"] if each["dataType"] == ["text"]]
    assert {(each["tokenization"], each["indexSearchable"]) for each in texts} == {("field", False)}
    assert {name: each["vectorIndexConfig"]["distance"] for name, each in found["vectorConfig"].items()} == vectors
    assert found["multiTenancyConfig"]["enabled"] is True
    assert found["invertedIndexConfig"]["indexTimestamps"] is True
    assert all(each.get("description") for each in found["properties"])


def test_pattern_is_found_by_its_likeness_within_its_tenant(store: WeaviateStore, raw: Raw) -> None:
    Mover(store).move()
    raw.send("POST", "/schema/ProbabilisticPatternV1/tenants", [{"name": "acme"}, {"name": "blue"}])
    for tenant, angle in (("acme", 0.1), ("acme", 1.4), ("blue", 0.0)):
        pattern: dict[str, Any] = {
            "class": "ProbabilisticPattern",
            "tenant": tenant,
            "properties": {"pattern_id": f"p{angle}", "symbol": "AAPL", "created_at": "2026-03-02T09:14:00Z"},
            "vectors": {"pattern_vector": [math.cos(angle), math.sin(angle)]},
        }
        raw.send("POST", "/objects", pattern)

    near = 'tenant:"acme",limit:1,nearVector:{vector:[1,0],targetVectors:["pattern_vector"]}'
    # GraphQL takes an alias for the collection, but not together with a filter (seen on 1.39.0).
    filtered = f'{near},where:{{path:["symbol"],operator:Equal,valueText:"AAPL"}}'
    for name, asked in (("ProbabilisticPattern", near), ("ProbabilisticPatternV1", filtered)):
        answer = raw.send("POST", "/graphql", {"query": f"{{Get{{{name}({asked}){{pattern_id}}}}}}"})
        assert answer == {"data": {"Get": {name: [{"pattern_id": "p0.1"}]}}}


def test_revisions_require_what_their_objects_come_from(store: WeaviateStore) -> None:
    assert [each.requires for each in store.revisions()] == [
        ("postgres/0001", "clickhouse/001"),
        ("postgres/0001", "clickhouse/001"),
    ]


def test_published_schema_is_the_one_in_use() -> None:
    published = json.loads((ROOT / "docs/schemas/weaviate.json").read_text(encoding="utf-8"))
    assert published == schema()
    assert set(published["$defs"]["operation"]["properties"]) == {
        name for name, kind in OPERATIONS.items() if not kind.inner
    }
    assert set(document_schema("x", {})["properties"]) == set(published["properties"])
