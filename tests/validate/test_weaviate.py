"""Objects of a real Weaviate: vectors, tenants and properties, planted beside good ones."""

from __future__ import annotations

import struct
import tracemalloc
import warnings
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from provision.documents.refused import Refused
from provision.kinds import build
from provision.model import StoreOptions
from provision.model.checks import Check, Scope, Table
from provision.stores.weaviate.copy.side import CopySide
from provision.stores.weaviate.server import connect
from tests.servers.databases import Weaviate
from tests.stores.weaviate.raw import Raw
from tests.validate.other_stores import Single, make

ID = "00000000-0000-0000-0000-{:012}"
NAN, INF = float("nan"), float("inf")
CLEAN = ("rows", "tenant_without_patterns")


@pytest.fixture
def raw(weaviate: str) -> Iterator[Raw]:
    made = Raw(weaviate)
    made.wipe()
    yield made
    made.wipe()


def pattern(number: int, tenant: str = "acme", vectors: Mapping[str, Any] | None = None, **other: Any) -> Any:
    """A good pattern in which `other` stand for single properties; None leaves one out."""
    properties = {
        "pattern_id": f"p{number}",
        "symbol": "AAPL",
        "pattern_type": "technical",
        "confidence_score": 0.5,
        "success_probability": 1,
        "created_at": "2026-03-02T09:00:00Z",
        **other,
    }
    return {
        "class": "ProbabilisticPatternV1",
        "id": ID.format(number),
        "tenant": tenant,
        "vectors": {"pattern_vector": [1, 2, 3], "uncertainty_vector": [0, 0], **(vectors or {})},
        "properties": {name: value for name, value in properties.items() if value is not None},
    }


@pytest.fixture
def vectors(raw: Raw, tmp_path: Path) -> Single:
    """The shipped collections with a tenant, a good pattern and a good embedding."""
    made = make(tmp_path, "weaviate", {"url": raw.url}, "vectors")
    made.up()
    for name in ("ProbabilisticPatternV1", "UncertaintyEmbeddingV1"):
        raw.send("POST", f"/schema/{name}/tenants", [{"name": "acme"}])
    raw.send("POST", "/objects", pattern(1))
    embedding = {"embedding_id": "e1", "symbol": "AAPL", "timestamp": "2026-03-02T09:00:00Z"}
    embedding |= {"epistemic_uncertainty": 0.1, "aleatoric_uncertainty": 0.2}
    raw.send(
        "POST",
        "/objects",
        {
            "class": "UncertaintyEmbeddingV1",
            "tenant": "acme",
            "vectors": {"uncertainty_vector": [0.1, 0.2]},
            "properties": embedding,
        },
    )
    return made


def store_over_grpc(server: Weaviate, number: int, vector: list[float]) -> None:
    """Store a pattern with any vector: gRPC takes what JSON cannot say."""
    import grpc
    from google.protobuf.struct_pb2 import Struct

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the package imports is not ours
        from weaviate.proto.v1 import base_pb2, batch_pb2, weaviate_pb2_grpc

    properties = Struct()
    properties.update(pattern(number)["properties"])
    named = {"pattern_vector": vector, "uncertainty_vector": [0.0, 0.0]}
    made = batch_pb2.BatchObject(
        uuid=ID.format(number),
        collection="ProbabilisticPatternV1",
        tenant="acme",
        properties=batch_pb2.BatchObject.Properties(non_ref_properties=properties),
        vectors=[
            base_pb2.Vectors(name=name, vector_bytes=struct.pack(f"<{len(each)}f", *each))
            for name, each in named.items()
        ],
    )
    with grpc.insecure_channel(server.grpc) as channel:
        answer = weaviate_pb2_grpc.WeaviateStub(channel).BatchObjects(batch_pb2.BatchObjectsRequest(objects=[made]))
    assert not answer.errors


def test_shipped_suite_finds_nothing_in_good_objects(vectors: Single) -> None:
    ran = vectors.validate("vectors")

    assert (ran.found, ran.code) == ({}, 0)
    assert {each["total"] for each in ran.json["results"]} == {1}


@pytest.mark.parametrize(
    ("planted", "check", "shown"),
    [
        ({"vectors": {"pattern_vector": [0, 0, 0]}}, "pattern_vector_without_direction", {"_norm": 0.0}),
        ({"vectors": {"pattern_vector": []}}, "pattern_vector_of_other_dimension", {"_dimension": 0}),
        ({"confidence_score": 1.0001}, "confidence_out_of_range", {"confidence_score": 1.0001}),
        ({"confidence_score": None}, "confidence_out_of_range", {"confidence_score": None}),
        ({"success_probability": -0.5}, "probability_out_of_range", {"success_probability": -0.5}),
        ({"symbol": None}, "pattern_incomplete", {"symbol": None}),
        ({"pattern_type": "astral"}, "pattern_type_unknown", {"pattern_type": "astral"}),
    ],
)
def test_planted_object_is_found_and_shown(
    vectors: Single, raw: Raw, planted: dict[str, Any], check: str, shown: dict[str, Any]
) -> None:
    raw.send("POST", "/objects", pattern(66, **planted))

    found = vectors.validate("vectors").found

    assert list(found) == [check]
    assert (found[check]["bad"], found[check]["total"]) == (1, 2)
    [sample] = found[check]["samples"]
    assert (sample["_id"], sample["_tenant"]) == (ID.format(66), "acme")
    assert shown.items() <= sample.items()


def test_vector_of_other_dimension_in_another_tenant_is_found(vectors: Single, raw: Raw) -> None:
    raw.send("POST", "/schema/ProbabilisticPatternV1/tenants", [{"name": "globex"}])
    raw.send("POST", "/objects", pattern(66, "globex", {"pattern_vector": [1, 2]}))

    found = vectors.validate("vectors").found

    assert found["pattern_vector_of_other_dimension"]["samples"] == [
        {"_id": ID.format(66), "_tenant": "globex", "pattern_id": "p66", "_dimension": 2}
    ]


@pytest.mark.parametrize(("value", "word"), [(NAN, "NaN"), (INF, "Infinity"), (-INF, "-Infinity")])
def test_vector_that_is_not_finite_is_found_among_others(
    vectors: Single, raw: Raw, weaviate_server: Weaviate, value: float, word: str
) -> None:
    raw.send("POST", "/batch/objects", {"objects": [pattern(number) for number in range(2, 30)]})
    store_over_grpc(weaviate_server, 66, [value, 1, 1])
    raw.send("POST", "/batch/objects", {"objects": [pattern(number) for number in range(70, 90)]})
    # What the page says that no reader of REST can see past.
    assert raw.get("/objects?class=ProbabilisticPatternV1&tenant=acme&include=vector&limit=100") is None

    ran = vectors.validate("vectors")

    assert (ran.code, list(ran.found)) == (1, ["pattern_vector_not_finite"])
    found = ran.found["pattern_vector_not_finite"]
    assert (found["bad"], found["total"]) == (1, 50)
    assert found["samples"] == [{"_id": ID.format(66), "_tenant": "acme", "pattern_id": "p66", "_value": word}]


def test_copy_says_that_an_object_cannot_be_read(vectors: Single, raw: Raw, weaviate_server: Weaviate) -> None:
    assert vectors is not None
    store_over_grpc(weaviate_server, 66, [NAN, 1, 1])
    server = connect(StoreOptions("weaviate", "weaviate", "vfr", Path(), Path()), raw.url)
    with pytest.raises(Refused, match="behind id none holds a number that is not finite") as refused:
        list(CopySide(server, "ProbabilisticPatternV1", "acme", 100).pages())
    assert refused.value.fix == "find it with `provision validate vectors`, correct it, run again"
    server.close()


def test_tenant_without_objects_is_low_and_one_at_rest_is_left_asleep(vectors: Single, raw: Raw) -> None:
    collection = "ProbabilisticPatternV1"
    raw.send("POST", f"/schema/{collection}/tenants", [{"name": "empty"}, {"name": "asleep"}])
    raw.send("PUT", f"/schema/{collection}/tenants", [{"name": "asleep", "activityStatus": "INACTIVE"}])

    ran = vectors.validate("vectors", "--all")

    assert (ran.code, list(ran.found)) == (0, ["rows", "tenant_without_patterns"])
    assert (ran.found["rows"]["status"], ran.found["rows"]["message"]) == ("warn", "not active and not read: asleep")
    found = ran.found["tenant_without_patterns"]
    assert (found["bad"], found["total"]) == (1, 2)
    assert found["samples"] == [{"_tenant": "empty", "_objects": 0}]
    assert found["message"].endswith("not active and not read: asleep")
    assert raw.tenants(collection)["asleep"] in ("INACTIVE", "COLD")


def test_tenant_and_time_narrow(vectors: Single, raw: Raw) -> None:
    raw.send("POST", "/schema/ProbabilisticPatternV1/tenants", [{"name": "globex"}])
    raw.send("POST", "/objects", pattern(66, "globex", confidence_score=7, created_at="2026-05-02T09:00:00Z"))

    assert "confidence_out_of_range" not in vectors.validate("vectors", "--tenant", "acme").found
    assert vectors.validate("vectors", "--tenant", "globex").found["confidence_out_of_range"]["total"] == 1
    assert "confidence_out_of_range" not in vectors.validate("vectors", "--until", "2026-04-01").found
    since = vectors.validate("vectors", "--since", "2026-04-01").found["confidence_out_of_range"]
    assert (since["bad"], since["total"]) == (1, 1)


SUITE = "store: weaviate\ntable: ProbabilisticPattern\ntime: created_at\nchecks:\n  - name: one\n    {}"


def test_freshness_goes_by_the_newest_object(vectors: Single, raw: Raw) -> None:
    vectors.suite("fresh", SUITE.format("freshness: {within: 1h}"))
    assert "old, 1h is allowed" in vectors.validate("fresh").found["one"]["message"]

    raw.send("POST", "/objects", pattern(2, created_at=datetime.now(UTC).isoformat()))
    assert vectors.validate("fresh").found == {}


def test_stated_dimension_and_bounds_of_norm_are_held(vectors: Single) -> None:
    vectors.suite("fresh", SUITE.format("vector_dimension: {vector: pattern_vector, is: 384}"))
    assert vectors.validate("fresh").found["one"]["samples"] == [
        {"_id": ID.format(1), "_tenant": "acme", "_dimension": 3}
    ]
    vectors.suite("fresh", SUITE.format("vector_norm: {vector: pattern_vector, min: 0.99, max: 1.01}"))
    assert vectors.validate("fresh").found["one"]["samples"][0]["_norm"] == pytest.approx(14**0.5)


def test_masked_property_is_not_shown(vectors: Single, raw: Raw) -> None:
    raw.send("POST", "/objects", pattern(66, confidence_score=9))
    vectors.suite(
        "fresh",
        SUITE.format("range: {column: confidence_score, max: 1}\n    sample: [_id, symbol]\n    mask: [symbol]"),
    )

    assert vectors.validate("fresh").found["one"]["samples"] == [{"_id": ID.format(66), "symbol": "•••"}]


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("range: {column: confidence_scor, min: 0}", "has no column confidence_scor | did you mean confidence_score?"),
        ("vector_not_finite: {vector: patern_vector}", "has no vector patern_vector | did you mean pattern_vector?"),
        ("vector_not_finite: {}", "has several vectors | add `vector:` with one of pattern_vector, uncertainty_vector"),
    ],
)
def test_wrong_check_is_refused(vectors: Single, check: str, said: str) -> None:
    vectors.suite("fresh", SUITE.format(check))

    ran = vectors.run("validate", "fresh")

    assert ran.code == 2
    for part in said.split(" | "):
        assert part in ran.err
    assert "checks/fresh.yaml:6:5" in ran.err


def test_unknown_collection_names_the_nearest(vectors: Single) -> None:
    vectors.suite("fresh", SUITE.format("not_null: symbol").replace("Pattern\n", "Paterns\n"))

    ran = vectors.run("validate", "fresh")

    assert ran.code == 2
    assert "error[unknown-table]: weaviate has no collection ProbabilisticPaterns" in ran.err
    assert "did you mean ProbabilisticPattern" in ran.err


def test_collection_without_tenants_and_names_of_vectors(vectors: Single, raw: Raw) -> None:
    raw.send("POST", "/schema", {"class": "Plain", "vectorizer": "none", "vectorIndexConfig": {"distance": "cosine"}})
    for number, vector in enumerate(([1, 1], [0, 0])):
        raw.send("POST", "/objects", {"class": "Plain", "id": ID.format(number), "vector": vector})
    text = "store: weaviate\ntable: Plain\nchecks:\n  - name: one\n    vector_norm: {above: 0}\n"
    vectors.suite("plain", text + "  - name: two\n    tenant_count: {min: 3}")

    found = vectors.validate("plain").found

    assert found["one"]["samples"] == [{"_id": ID.format(1), "_tenant": None, "_norm": 0.0}]
    assert found["two"]["samples"] == [{"_tenant": None, "_objects": 2}]


def test_memory_does_not_grow_with_objects(vectors: Single, raw: Raw) -> None:
    store = build(StoreOptions("weaviate", "weaviate", "vfr", vectors.folder / "weaviate", vectors.folder))
    store.open(raw.url)
    assert store.checks is not None
    table = Table(
        "weaviate", "ProbabilisticPattern", (Check("a", "vector_norm", {"vector": "pattern_vector", "above": 0}),)
    )
    peaks = []
    for upto in (1_000, 5_000):
        for start in range(0, upto, 1_000):
            raw.send("POST", "/batch/objects", {"objects": [pattern(n) for n in range(start, start + 1_000)]})
        tracemalloc.start()
        [whole, _] = store.checks.tally(table, Scope())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert whole.total == upto
    store.close()
    assert peaks[1] < peaks[0] * 1.5
