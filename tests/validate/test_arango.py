"""Documents and edges of the contract double of ArangoDB against the shipped suite."""

from __future__ import annotations

import random
import time
import tracemalloc
from collections.abc import Iterator
from itertools import count, pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from provision.errors import FailedError
from provision.model.checks import Scope
from provision.stores.arango.validate import graph as checks_graph
from provision.validate.scan import Deadline
from tests.servers.databases import WORD
from tests.stores.arango.raw import Raw
from tests.validate.other_stores import Single, make

_NUMBERS = count(1)
NODES, DEPENDENCIES, STEPS = "probabilistic_nodes", "probability_dependencies", "confidence_propagation"
DECISION = "00000000-0000-0000-0000-{:012}"


@pytest.fixture
def raw(arango: str) -> Iterator[Raw]:
    made = Raw(f"http://{urlsplit(arango).netloc.rpartition('@')[2]}", f"checks{next(_NUMBERS)}", WORD)
    made.make()
    yield made
    made.drop()
    made.close()


def node(key: str, **other: object) -> dict[str, object]:
    return {
        "_key": key,
        "component_type": "indicator",
        "component_name": key,
        "confidence_contribution": 0.5,
        "uncertainty_contribution": 0,
        "tenant_id": "acme",
        "last_updated": "2026-03-02T09:00:00Z",
        **other,
    }


def edge(key: str, ends: str, **other: object) -> dict[str, object]:
    source, target = ends.split(">")
    return {
        "_key": key,
        "_from": f"{NODES}/{source}",
        "_to": f"{NODES}/{target}",
        "dependency_type": "input",
        "weight": 0.5,
        "confidence_impact": 1,
        "uncertainty_propagation": 0,
        "tenant_id": "acme",
        "created_at": "2026-03-02T09:00:00Z",
        **other,
    }


def step(key: str, ends: str, decision: int, **other: object) -> dict[str, object]:
    source, target = ends.split(">")
    return {
        "_key": key,
        "_from": f"{NODES}/{source}",
        "_to": f"{NODES}/{target}",
        "decision_id": DECISION.format(decision),
        "confidence_in": 0.5,
        "confidence_out": 0.5,
        "tenant_id": "acme",
        "propagated_at": "2026-03-02T09:00:00Z",
        **other,
    }


@pytest.fixture
def graph(raw: Raw, tmp_path: Path) -> Single:
    """The shipped collections with a small good graph: a → b → c, and two decisions that go through it both ways."""
    made = make(tmp_path, "arango", {"url": raw.url}, "graph", "0001", "0002", "0003", "0004")
    made.up()
    write(raw, NODES, *(node(name) for name in "abcd"))
    write(raw, DEPENDENCIES, edge("ab", "a>b"), edge("bc", "b>c"), edge("ac", "a>c"))
    write(raw, STEPS, step("1", "a>b", 1), step("2", "b>a", 2))
    return made


def write(raw: Raw, collection: str, *documents: dict[str, object]) -> None:
    for each in documents:
        raw.ask("POST", f"/_api/document/{collection}", each)


def put(raw: Raw, collection: str, *documents: dict[str, object]) -> None:
    """Write documents past the schema of the collection, as those of before it was made are."""
    raw.ask("PUT", f"/_api/collection/{collection}/properties", {"schema": None})
    write(raw, collection, *documents)


def test_shipped_suite_finds_nothing_in_a_good_graph(graph: Single) -> None:
    ran = graph.validate("graph")

    assert (ran.found, ran.code) == ({}, 0)
    totals = {each["table"]: each["total"] for each in ran.json["results"]}
    assert totals == {NODES: 4, DEPENDENCIES: 3, STEPS: 2}


@pytest.mark.parametrize(
    ("collection", "planted", "check", "shown"),
    [
        (NODES, node("bad", confidence_contribution=2), "confidence_out_of_range", {"confidence_contribution": 2}),
        (NODES, node("bad", confidence_contribution="0"), "confidence_out_of_range", {"confidence_contribution": "0"}),
        (NODES, node("bad", uncertainty_contribution=-1), "uncertainty_out_of_range", {"uncertainty_contribution": -1}),
        (NODES, node("bad", component_type="oracle"), "component_type_unknown", {"component_type": "oracle"}),
        (DEPENDENCIES, edge("bad", "a>gone"), "dependency_on_nothing", {"_to": f"{NODES}/gone"}),
        (DEPENDENCIES, edge("bad", "gone>a"), "dependency_on_nothing", {"_from": f"{NODES}/gone"}),
        (DEPENDENCIES, edge("bad", "c>d", weight=1.0001), "figure_out_of_range", {"weight": 1.0001}),
        (DEPENDENCIES, edge("bad", "c>d", weight=None), "figure_out_of_range", {"weight": None}),
        (DEPENDENCIES, edge("bad", "c>d", tenant_id="globex"), "dependency_across_tenants", {"tenant_id": "globex"}),
        (STEPS, step("bad", "c>gone", 1), "step_from_or_to_nothing", {"_to": f"{NODES}/gone"}),
        (STEPS, step("bad", "c>d", 1, confidence_out=-0.5), "confidence_out_out_of_range", {"confidence_out": -0.5}),
        (STEPS, step("bad", "c>d", 1, uncertainty_added=2), "uncertainty_added_out_of_range", {"uncertainty_added": 2}),
    ],
)  # fmt: skip
def test_planted_document_is_found_and_shown(
    graph: Single, raw: Raw, collection: str, planted: dict[str, object], check: str, shown: dict[str, Any]
) -> None:
    put(raw, collection, planted)

    found = graph.validate("graph").found

    assert list(found) == [check]
    assert (found[check]["bad"], found[check]["table"]) == (1, collection)
    [sample] = found[check]["samples"]
    assert sample["_key"] == "bad"
    assert shown.items() <= sample.items()


def test_missing_attribute_is_incomplete_and_out_of_range(graph: Single, raw: Raw) -> None:
    put(raw, NODES, {name: value for name, value in node("bad").items() if name != "confidence_contribution"})

    assert graph.validate("graph").found.keys() == {"component_incomplete", "confidence_out_of_range"}


def test_cycle_of_dependencies_is_found_and_drawn(graph: Single, raw: Raw) -> None:
    put(raw, DEPENDENCIES, edge("ca", "c>a"))

    ran = graph.validate("graph")

    assert (ran.code, list(ran.found)) == (1, ["dependency_in_a_circle"])
    found = ran.found["dependency_in_a_circle"]
    assert (found["bad"], found["total"]) == (4, 4)
    [sample] = found["samples"]
    assert sample["tenant_id"] == "acme"
    first, *rest = sample["cycle"].replace(f"{NODES}/", "").split(" → ")
    assert rest[-1] == first
    assert {*rest} <= {"a", "b", "c"}


def test_cycle_within_one_decision_is_found_and_across_two_is_none(graph: Single, raw: Raw) -> None:
    put(raw, STEPS, step("3", "b>c", 2), step("4", "c>b", 3))
    assert graph.validate("graph").found == {}

    put(raw, STEPS, step("5", "a>b", 2))

    [sample] = graph.validate("graph").found["confidence_in_a_circle"]["samples"]
    assert sample["decision_id"] == DECISION.format(2)
    assert sample["cycle"] in (f"{NODES}/a → {NODES}/b → {NODES}/a", f"{NODES}/b → {NODES}/a → {NODES}/b")


def test_edge_to_itself_is_a_cycle(graph: Single, raw: Raw) -> None:
    put(raw, DEPENDENCIES, edge("bb", "b>b"))

    found = graph.validate("graph").found["dependency_in_a_circle"]

    assert (found["bad"], found["samples"][0]["cycle"]) == (1, f"{NODES}/b → {NODES}/b")


def test_component_and_dependency_given_twice_are_shown(graph: Single, raw: Raw) -> None:
    put(raw, NODES, node("a2", component_name="a"))
    put(raw, DEPENDENCIES, edge("ab2", "a>b"))

    found = graph.validate("graph").found

    assert found.keys() == {"component_given_twice", "dependency_given_twice"}
    assert [each["_key"] for each in found["component_given_twice"]["samples"]] == ["a", "a2"]
    assert [each["_key"] for each in found["dependency_given_twice"]["samples"]] == ["ab", "ab2"]
    assert found["component_given_twice"]["bad"] == 2


def test_tenant_and_time_narrow(graph: Single, raw: Raw) -> None:
    put(raw, NODES, node("g", tenant_id="globex", confidence_contribution=7, last_updated="2026-05-02T09:00:00Z"))

    def bad(*options: str) -> int:
        found = graph.validate("graph", *options).found.get("confidence_out_of_range")
        return found["bad"] if found else 0

    assert [bad("--tenant", "acme"), bad("--tenant", "globex")] == [0, 1]
    assert [bad("--until", "2026-04-01"), bad("--since", "2026-04-01")] == [0, 1]


SUITE = "store: arango\ntable: {}\ntime: last_updated\nchecks:\n  - name: one\n    {}"


def test_freshness_and_mask(graph: Single, raw: Raw) -> None:
    graph.suite("one", SUITE.format(NODES, "freshness: {within: 1h}"))
    assert "old, 1h is allowed" in graph.validate("one").found["one"]["message"]
    put(raw, NODES, node("new", last_updated=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())))
    assert graph.validate("one").found == {}

    graph.suite(
        "one", SUITE.format(NODES, "bad: doc._key == 'a'\n    sample: [_key, component_name]\n    mask: [_key]")
    )
    assert graph.validate("one").found["one"]["samples"] == [{"_key": "•••", "component_name": "a"}]


def test_expression_that_is_null_is_bad(graph: Single) -> None:
    graph.suite("one", SUITE.format(NODES, "bad: doc.performance_metrics.accuracy"))

    assert graph.validate("one").found["one"]["bad"] == 4


@pytest.mark.parametrize(
    ("table", "check", "said"),
    [
        ("probabilistic_node", "bad: 'true'", "error[unknown-table]: arango has no collection probabilistic_node"),
        (NODES, "range: {column: confidence_contributio, min: 0}", "did you mean confidence_contribution?"),
        (NODES, "bad: doc.weight >", "error[bad-expression]: one: AQL: syntax error"),
        (NODES, "bad: NO_SUCH(doc.weight)", "usage of unknown function 'NO_SUCH()'"),
        (NODES, f"bad: LENGTH(FOR x IN {NODES} REMOVE x IN {NODES} RETURN 1) > 0", "one changes data"),
        (NODES, "acyclic: {}", "is no collection of edges"),
        (NODES, "dangling_edge: {}", "is no collection of edges"),
    ],
)  # fmt: skip
def test_wrong_check_is_refused_before_anything_is_read(
    graph: Single, raw: Raw, table: str, check: str, said: str
) -> None:
    graph.suite("one", SUITE.format(table, check))

    ran = graph.run("validate", "one")

    assert (ran.code, said in ran.err) == (2, True), ran.err
    assert "checks/one.yaml:" in ran.err
    assert len(raw.rows(f"FOR x IN {NODES} RETURN x._key")) == 4


def tried(*edges: tuple[object, object], seconds: float = 60) -> tuple[int, list[tuple[str, ...]]]:
    found = list(checks_graph.cycles([(str(a), str(b)) for a, b in edges], Deadline(Scope(seconds=seconds))))
    return sum(each.edges for each in found), [each.path for each in found]


def test_edges_on_cycles_are_those_of_strong_components() -> None:
    """Against a plain computation of what reaches what, on random graphs."""
    chance = random.Random(7)
    for _ in range(40):
        size = chance.randint(2, 12)
        edges = [(chance.randrange(size), chance.randrange(size)) for _ in range(chance.randint(1, 20))]
        reach = {a: {a} for a in range(size)}
        for _ in range(size):
            for a, b in edges:
                for known in reach.values():
                    known |= {b} if a in known else set()
        expected = sum(1 for a, b in edges if a in reach[b])
        bad, paths = tried(*edges)
        assert bad == expected
        for path in paths:
            assert path[0] == path[-1]
            assert all((int(a), int(b)) in edges for a, b in pairwise(path))


def test_long_chain_holds_no_cycle_and_its_closing_edge_makes_one() -> None:
    chain = [(n, n + 1) for n in range(3_000)]

    assert tried(*chain) == (0, [])
    bad, [path] = tried(*chain, (3_000, 0))
    assert (bad, len(path)) == (3_001, checks_graph.LONGEST)


def test_search_for_cycles_beyond_its_time_is_stopped() -> None:
    with pytest.raises(FailedError, match="longer than 0"):
        tried((1, 2), (2, 1), seconds=0)


def test_memory_of_the_search_does_not_grow_with_edges() -> None:
    peaks = []
    for size in (5_000, 40_000):
        tracemalloc.start()
        list(checks_graph.cycles(((str(n % 977), str(n % 977 + 1)) for n in range(size)), Deadline(Scope())))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] * 1.5
