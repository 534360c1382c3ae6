"""A usual session of python-arango with the ArangoDB contract double."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from arango.exceptions import (
    CollectionCreateError,
    DocumentInsertError,
    DocumentRevisionError,
    IndexDeleteError,
    ServerConnectionError,
)

from arango import ArangoClient
from tests.doubles.served.process import counts, reset
from tests.doubles_tests.conftest import PASSWORD


@pytest.fixture
def database(guarded_arango_url: str) -> Iterator[Any]:
    reset(guarded_arango_url)
    client = ArangoClient(hosts=guarded_arango_url)
    system = client.db("_system", username="root", password=PASSWORD, verify=True)
    assert system.create_database("site", users=[{"username": "root", "password": PASSWORD, "active": True}])
    yield client.db("site", username="root", password=PASSWORD, auth_method="jwt")
    assert counts(guarded_arango_url)["invalid_requests"] == []
    client.close()


def test_collections_documents_and_indexes(database: Any) -> None:
    items = database.create_collection("items", sync=True, user_keys=True)
    assert database.has_collection("items")
    with pytest.raises(CollectionCreateError, match="duplicate name"):
        database.create_collection("items")
    made = items.insert({"_key": "1", "a": 1}, return_new=True)
    assert (made["new"]["a"], items.get("1")["a"], items.has("2")) == (1, 1, False)
    with pytest.raises(DocumentInsertError, match="unique constraint"):
        items.insert({"_key": "1"})
    changed = items.update({"_key": "1", "b": 2})
    with pytest.raises(DocumentRevisionError):
        items.delete({"_key": "1", "_rev": made["_rev"]})
    assert items.delete({"_key": "1", "_rev": changed["_rev"]})["_key"] == "1"
    index = items.add_index({"type": "persistent", "fields": ["a"], "unique": True, "name": "by_a"})
    assert [each["name"] for each in items.indexes()] == ["primary", "by_a"]
    assert items.delete_index(index["id"])
    with pytest.raises(IndexDeleteError):
        items.delete_index(index["id"])


def test_many_documents_and_queries(database: Any) -> None:
    items = database.create_collection("items")
    assert items.import_bulk([{"_key": str(n), "n": n} for n in range(25)])["created"] == 25
    assert len(items.get_many(["1", "2", "99"])) == 2
    assert len(items.insert_many([{"_key": "1"}, {"_key": "30", "n": 30}])) == 2
    query = "FOR d IN @@c FILTER d.n < @n SORT d.n RETURN d.n"
    cursor = database.aql.execute(query, bind_vars={"@c": "items", "n": 7}, batch_size=3, count=True)
    assert (cursor.count(), list(cursor)) == (7, [0, 1, 2, 3, 4, 5, 6])
    assert items.count() == 26
    assert items.truncate()
    assert items.properties()["name"] == "items"


def test_graphs_views_and_users(database: Any) -> None:
    edges = {"edge_collection": "links", "from_vertex_collections": ["items"], "to_vertex_collections": ["items"]}
    graph = database.create_graph("g", edge_definitions=[edges])
    vertices, links = graph.vertex_collection("items"), graph.edge_collection("links")
    for key in ("1", "2"):
        vertices.insert({"_key": key})
    links.insert({"_key": "e", "_from": "items/1", "_to": "items/2"})
    assert [each["_to"] for each in links.edges("items/1", direction="out")["edges"]] == ["items/2"]
    assert database.has_graph("g")
    assert [each["name"] for each in database.graphs()] == ["g"]
    database.create_arangosearch_view("v", properties={"links": {"items": {"includeAllFields": True}}})
    assert database.view("v")["links"]["items"]["includeAllFields"] is True
    assert database.create_analyzer("mine", "identity")["name"] == "site::mine"
    assert database.delete_graph("g", drop_collections=True)
    assert not database.has_collection("links")


def test_wrong_password_is_told(guarded_arango_url: str) -> None:
    client = ArangoClient(hosts=guarded_arango_url)
    with pytest.raises(ServerConnectionError):
        client.db("_system", username="root", password="no", verify=True)
    client.close()
