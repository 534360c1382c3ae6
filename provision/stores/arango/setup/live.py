"""What is on a live server, as documents would make it: for adoption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents import Found
from provision.model import StoreOptions
from provision.stores.arango.migrate import indexes
from provision.stores.arango.migrate.operations.base import Live
from provision.stores.arango.migrate.operations.create_graph import shape
from provision.stores.arango.migrate.operations.create_index import listed_in
from provision.stores.arango.migrate.operations.create_view import properties
from provision.stores.arango.migrate.world import DOCUMENT, EDGE
from provision.stores.arango.names import OWN
from provision.stores.arango.server import connect

Operation = tuple[str, Mapping[str, Any]]

# What the server answers with where nobody said anything.
_COLLECTION: Mapping[str, object] = {
    "type": DOCUMENT,
    "waitForSync": False,
    "cacheEnabled": False,
    "schema": None,
    "computedValues": None,
    "numberOfShards": 1,
    "shardKeys": ["_key"],
    "replicationFactor": 1,
    "writeConcern": 1,
    "isSmart": False,
    "isDisjoint": False,
}
_KEY_OPTIONS = {"type": "traditional", "allowUserKeys": True, "increment": 1, "offset": 0}
_COMPUTED = {"computeOn": ["insert", "update", "replace"], "keepNull": True, "failOnWarning": False}
_INDEX: Mapping[str, object] = {
    "unique": False,
    "sparse": False,
    "deduplicate": True,
    "estimates": True,
    "cacheEnabled": False,
    "geoJson": False,
    "legacyPolygons": False,
    "minLength": 2,
    "storedValues": [],
    "prefixFields": [],
    "analyzer": "identity",
    "features": ["frequency", "norm"],
    "includeAllFields": False,
    "searchField": False,
    "trackListPositions": False,
    "primarySort": {"fields": [], "compression": "lz4"},
    "optimizeTopK": [],
    "cleanupIntervalStep": 2,
    "commitIntervalMsec": 1000,
    "consolidationIntervalMsec": 5000,
    "cache": False,
    "writebufferActive": 0,
    "writebufferIdle": 64,
    "writebufferSizeMax": 33554432,
    "primaryKeyCache": False,
}
_VIEW: Mapping[str, object] = {
    "primarySort": [],
    "primarySortCompression": "lz4",
    "storedValues": [],
    "optimizeTopK": [],
    "cleanupIntervalStep": 2,
    "commitIntervalMsec": 1000,
    "consolidationIntervalMsec": 5000,
    "links": {},
    "writebufferActive": 0,
    "writebufferIdle": 64,
    "writebufferSizeMax": 33554432,
    "primarySortCache": False,
    "primaryKeyCache": False,
}


def found(options: StoreOptions, url: str) -> Sequence[Found]:
    """Analyzers first, then a document for each collection with its indexes, for each graph, and for each view.

    Raises UnreachableError and ConfigError as opening the store does.
    """
    server = connect(url, options)
    try:
        with server.reading():
            if server.absent:
                return ()
            live = Live(server)
            return [*_analyzers(live), *_collections(live), *_graphs(live), *_views(live)]
    finally:
        server.http.close()


def _analyzers(live: Live) -> Iterator[Found]:
    own = f"{live.server.database}::"
    for each in sorted(live.server.ask("GET", "/_api/analyzer")["result"], key=lambda each: str(each["name"])):
        if str(each["name"]).startswith(own):  # the others are the server's, or of _system
            body = {"name": each["name"].removeprefix(own), "type": each["type"]}
            body |= {key: each[key] for key in ("properties", "features") if each.get(key)}
            yield Found(f"analyzer {body['name']}", (("create_analyzer", body),))


def _collections(live: Live) -> Iterator[Found]:
    """Nodes before edges."""
    listed = live.server.ask("GET", "/_api/collection", query={"excludeSystem": "true"})["result"]
    for each in sorted(listed, key=lambda each: (each["type"] == EDGE, str(each["name"]))):
        if not each["name"].startswith(OWN):
            made: list[Operation] = [("create_collection", _collection(live.collection(each["name"]) or each))]
            made += [("create_index", body) for body in _indexes(each["name"], live)]
            yield Found(f"collection {each['name']}", tuple(made))


def _collection(there: Mapping[str, Any]) -> dict[str, Any]:
    body = {"name": there["name"]} | _stated(there, _COLLECTION)
    options = {key: value for key, value in there.get("keyOptions", {}).items() if key != "lastValue"}
    if _stated(options, _KEY_OPTIONS):
        body["keyOptions"] = options
    if "schema" in body:
        body["schema"] = {key: value for key, value in body["schema"].items() if key != "type" and value != ""}
    if "computedValues" in body:
        body["computedValues"] = [
            {key: value for key, value in each.items() if key not in _COMPUTED or value != _COMPUTED[key]}
            for each in body["computedValues"]
        ]
    return body


def _indexes(collection: str, live: Live) -> Iterator[dict[str, Any]]:
    for each in listed_in(collection, live) or ():
        if each["type"] not in indexes.BUILT_IN:
            normal = indexes.normal(each)
            body = {"collection": collection, "name": each["name"], "type": normal["type"], "fields": normal["fields"]}
            required = {key: each[key] for key in _REQUIRED if key in each}
            yield body | required | _stated(_written(normal), _INDEX)


_REQUIRED = ("expireAfter", "fieldValueTypes", "params")


def _written(index: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an index that a document may state; what its type implies is left out."""
    implied = {"ttl": ("sparse", "estimates"), "geo": ("sparse",), "fulltext": ("sparse",), "inverted": ("sparse",)}
    left_out = implied.get(str(index["type"]), ())
    return {key: value for key, value in index.items() if key not in left_out}


def _graphs(live: Live) -> Iterator[Found]:
    for each in sorted(live.graphs(), key=lambda each: str(each["name"])):
        body = {"name": each["name"], **shape(each)}
        if not body["orphanCollections"]:
            del body["orphanCollections"]
        body |= {key: True for key in ("isSmart", "isDisjoint") if each.get(key)}
        yield Found(f"graph {each['name']}", (("create_graph", body),))


def _views(live: Live) -> Iterator[Found]:
    for each in sorted(live.server.ask("GET", "/_api/view")["result"], key=lambda each: str(each["name"])):
        there = properties(each["name"], live) or each
        body = {"name": each["name"], "type": each["type"]} | _stated(there, _VIEW)
        body |= {"indexes": there["indexes"]} if there.get("indexes") else {}
        yield Found(f"view {each['name']}", (("create_view", body),))


def _stated(there: Mapping[str, Any], usual: Mapping[str, object]) -> dict[str, Any]:
    """Those of the usual keys that the server has otherwise than it would by itself."""
    return {key: there[key] for key in usual if key in there and there[key] != usual[key]}
