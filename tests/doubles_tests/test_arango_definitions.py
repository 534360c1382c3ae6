"""Databases, collections, indexes, graphs, views and analyzers of the ArangoDB contract double."""

from __future__ import annotations

from typing import Any

import pytest

from tests.doubles_tests.wire import Got, Wire

EDGES = {"collection": "links", "from": ["items"], "to": ["items"]}


def refused(got: Got) -> tuple[int, int]:
    return got.status, got.body["errorNum"]


def index(wire: Wire, **body: Any) -> Got:
    return wire.send("POST", "/_api/index?collection=items", {"type": "persistent", **body})


@pytest.fixture
def items(arango: Wire) -> Wire:
    arango.made("POST", "/_api/collection", {"name": "items"})
    return arango


def graph(wire: Wire, name: str = "g", *definitions: Any, **more: Any) -> Got:
    return wire.send("POST", "/_api/gharial", {"name": name, "edgeDefinitions": list(definitions or [EDGES]), **more})


@pytest.mark.parametrize(
    ("path", "body", "status", "number"),
    [
        ("/_api/collection", {"name": "items"}, 409, 1207),
        ("/_api/collection", {"name": ""}, 400, 1208),
        ("/_api/collection", {"name": "1"}, 400, 1208),
        ("/_api/collection", {"name": "_own"}, 400, 1208),
        ("/_api/collection", {"name": "x", "type": 4}, 400, 1218),
        ("/_db/_system/_api/database", {"name": "_system"}, 400, 1229),
        ("/_db/_system/_api/database", {"name": "9"}, 400, 1229),
        ("/_db/nope/_api/collection", {"name": "x"}, 404, 1228),
        ("/_api/index?collection=nope", {"type": "persistent", "fields": ["a"]}, 404, 1203),
        ("/_api/analyzer", {"name": "a b", "type": "identity"}, 400, 10),
    ],
)
def test_illegal_name_or_place_is_refused(items: Wire, path: str, body: Any, status: int, number: int) -> None:
    assert refused(items.send("POST", path, body)) == (status, number)


def test_databases_are_made_in_system_alone(arango: Wire) -> None:
    arango.made("POST", "/_db/_system/_api/database", {"name": "other"})
    assert refused(arango.send("POST", "/_db/other/_api/database", {"name": "third"})) == (403, 1230)
    arango.made("POST", "/_db/other/_api/collection", {"name": "items"})
    assert refused(arango.send("GET", "/_api/collection/items")) == (404, 1203)
    assert refused(arango.send("POST", "/_db/_system/_api/database", {"name": "other"})) == (409, 1207)
    arango.made("DELETE", "/_db/_system/_api/database/other")
    assert refused(arango.send("GET", "/_db/other/_api/version")) == (404, 1228)


def test_what_of_a_collection_is_fixed_stays(items: Wire) -> None:
    change = {"type": 3, "keyOptions": {"type": "uuid"}, "waitForSync": True}
    changed = items.made("PUT", "/_api/collection/items/properties", change)
    assert (changed["type"], changed["keyOptions"]["type"], changed["waitForSync"]) == (2, "traditional", True)
    items.made("PUT", "/_api/collection/items/rename", {"name": "things"})
    assert refused(items.send("GET", "/_api/collection/items")) == (404, 1203)


def test_equal_index_is_the_one_that_is_there_whatever_its_name(items: Wire) -> None:
    first = index(items, fields=["a", "b"], name="one")
    again = index(items, fields=["a", "b"], name="two", storedValues=["c"])
    assert (first.status, again.status, again.body["isNewlyCreated"]) == (201, 200, False)
    assert (again.body["id"], again.body["name"]) == (first.body["id"], "one")
    assert index(items, fields=["b", "a"]).status == 201
    assert refused(index(items, fields=["c"], name="one")) == (400, 1005)


def test_hash_answers_hash_and_is_an_index_of_its_own(items: Wire) -> None:
    assert [index(items, type=kind, fields=["a"]).status for kind in ("persistent", "hash")] == [201, 201]
    kinds = [each["type"] for each in items.made("GET", "/_api/index?collection=items")["indexes"]]
    assert kinds == ["primary", "persistent", "hash"]


@pytest.mark.parametrize(
    ("body", "status", "number"),
    [
        ({"type": "vector", "fields": ["a"], "params": {"metric": "cosine", "dimension": 3, "nLists": 1}}, 400, 10),
        ({"type": "persistent", "fields": []}, 400, 10),
        ({"type": "persistent", "fields": ["a", "a"]}, 400, 10),
        ({"type": "ttl", "fields": ["a", "b"], "expireAfter": 1}, 400, 10),
        ({"type": "persistent", "fields": ["a"], "name": "1a"}, 400, 1208),
    ],
)
def test_index_that_is_none_is_refused(items: Wire, body: Any, status: int, number: int) -> None:
    assert refused(items.send("POST", "/_api/index?collection=items", body)) == (status, number)


def test_built_in_indexes_stay(items: Wire) -> None:
    assert refused(items.send("DELETE", "/_api/index/items/0")) == (403, 11)
    made = index(items, fields=["a"], name="one").body
    assert items.made("GET", "/_api/index/items/one")["id"] == made["id"]
    items.made("DELETE", f"/_api/index/{made['id']}")
    assert refused(items.send("DELETE", f"/_api/index/{made['id']}")) == (404, 1212)


def test_graph_makes_its_collections_and_keeps_them(arango: Wire) -> None:
    assert graph(arango).status == 202
    assert arango.made("GET", "/_api/collection/links")["type"] == 3
    assert refused(arango.send("DELETE", "/_api/collection/items")) == (403, 1942)
    assert arango.made("DELETE", "/_api/gharial/g") == {"error": False, "code": 202, "removed": True}
    assert arango.made("DELETE", "/_api/collection/items")["error"] is False


@pytest.mark.parametrize(
    ("definitions", "status", "number"),
    [
        ([EDGES, EDGES], 400, 1920),
        ([{"collection": "links", "from": [], "to": ["items"]}], 400, 1923),
        ([{"collection": "items", "from": ["a"], "to": ["b"]}], 400, 1944),
        ([{"collection": "other", "from": ["links"], "to": ["items"]}], 400, 1927),
    ],
)
def test_graph_that_does_not_fit_is_refused(items: Wire, definitions: Any, status: int, number: int) -> None:
    items.made("POST", "/_api/collection", {"name": "links", "type": 3})
    assert refused(graph(items, "g", *definitions)) == (status, number)


def test_edge_collection_is_used_in_one_way_by_all_graphs(arango: Wire) -> None:
    graph(arango)
    assert refused(graph(arango)) == (409, 1925)
    other = {"collection": "links", "from": ["items"], "to": ["others"]}
    assert refused(graph(arango, "h", other)) == (400, 1921)
    assert graph(arango, "h").status == 202


def test_definitions_and_orphans_of_a_graph_change(arango: Wire) -> None:
    graph(arango, "g", EDGES, orphanCollections=["alone"])
    wider = {"collection": "links", "from": ["items"], "to": ["others"]}
    changed = arango.made("PUT", "/_api/gharial/g/edge/links", wider)["graph"]
    assert changed["edgeDefinitions"] == [wider]
    assert refused(arango.send("PUT", "/_api/gharial/g/edge/nope", {**wider, "collection": "nope"})) == (404, 1930)
    assert arango.made("DELETE", "/_api/gharial/g/edge/links")["graph"]["orphanCollections"] == [
        "alone",
        "items",
        "others",
    ]
    assert refused(arango.send("POST", "/_api/gharial/g/vertex", {"collection": "alone"})) == (400, 1938)


def test_edges_of_a_graph_need_its_vertices_and_go_with_them(arango: Wire) -> None:
    graph(arango)
    for key in ("1", "2"):
        arango.made("POST", "/_api/gharial/g/vertex/items", {"_key": key})
    path = "/_api/gharial/g/edge/links"
    assert refused(arango.send("POST", path, {"_from": "items/1", "_to": "items/9"})) == (404, 1202)
    assert refused(arango.send("POST", path, {"_from": "items/1", "_to": "other/1"})) == (400, 1947)
    arango.made("POST", path, {"_from": "items/1", "_to": "items/2"})
    arango.made("DELETE", "/_api/gharial/g/vertex/items/2")
    assert arango.made("GET", "/_api/collection/links/count")["count"] == 0


def test_view_links_need_collection_and_analyzer(items: Wire) -> None:
    def view(**links: Any) -> Got:
        return items.send("POST", "/_api/view", {"name": "v", "type": "arangosearch", "links": links})

    assert refused(view(nope={})) == (404, 1203)
    assert refused(view(items={"analyzers": ["nope"]})) == (400, 10)
    items.made("POST", "/_api/analyzer", {"name": "mine", "type": "norm", "properties": {"locale": "en"}})
    assert view(items={"analyzers": ["mine"]}).status == 201
    assert refused(view()) == (409, 1207)
    assert refused(items.send("DELETE", "/_api/analyzer/mine")) == (409, 1200)
    items.made("PATCH", "/_api/view/v/properties", {"links": {"items": None}, "commitIntervalMsec": 5})
    found = items.made("GET", "/_api/view/v/properties")
    assert (found["links"], found["commitIntervalMsec"]) == ({}, 5)


def test_analyzer_of_one_name_has_one_meaning(arango: Wire) -> None:
    body = {"name": "mine", "type": "text", "properties": {"locale": "de"}, "features": ["frequency"]}
    assert [arango.send("POST", "/_api/analyzer", body).status for _ in range(2)] == [201, 200]
    assert refused(arango.send("POST", "/_api/analyzer", {**body, "features": []})) == (400, 10)
    assert arango.made("GET", "/_api/analyzer/mine")["name"] == "_system::mine"


def test_unknown_path_and_method_are_told_apart(arango: Wire) -> None:
    assert refused(arango.send("GET", "/_api/nope")) == (404, 404)
    assert refused(arango.send("PUT", "/_api/version")) == (405, 405)
    got = arango.send("PUT", "/_admin/compact", {})
    assert refused(got) == (501, 9)
    assert got.body["errorMessage"] == "the double does not answer PUT /_admin/compact"


def test_explain_tells_reading_from_writing_in_a_subquery_too(arango: Wire) -> None:
    arango.made("POST", "/_api/collection", {"name": "explained"})

    def plan(query: str, **binds: object) -> object:
        found = arango.made("POST", "/_api/explain", {"query": query, "bindVars": binds})["plan"]
        return found["isModificationQuery"], found["collections"]

    assert plan("FOR d IN @@c RETURN d.a", **{"@c": "explained"}) == (False, [{"name": "explained", "type": "read"}])
    assert plan("RETURN LENGTH(FOR d IN explained REMOVE d IN explained RETURN 1)") == (
        True,
        [{"name": "explained", "type": "write"}],
    )
    assert refused(arango.send("POST", "/_api/explain", {"query": "FOR d IN"})) == (400, 1501)
