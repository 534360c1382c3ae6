"""Named graphs: documents of `_graphs` and the rules between their collections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.doubles.arango import documents
from tests.doubles.arango.collections import DOCUMENT, EDGE
from tests.doubles.arango.databases import Database
from tests.doubles.arango.errors import Refused

Graph = dict[str, Any]
_OWN = ("edgeDefinitions", "orphanCollections")


def graph(database: Database, name: str) -> Graph:
    """Raises Refused (1924)."""
    if name not in database.graphs:
        raise Refused(1924, f"graph '{name}' not found")
    return database.graphs[name]


def described(found: Graph) -> Graph:
    return {**found, "name": found["_key"]}


def create(database: Database, body: Mapping[str, Any]) -> Graph:
    """The graph, with the collections that it needs. Raises Refused (1922, 1925, 1920, 1921, 1923, 1927, 1944)."""
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise Refused(1922)
    if name in database.graphs:
        raise Refused(1925)
    definitions = [checked(each) for each in body.get("edgeDefinitions") or []]
    names = [each["collection"] for each in definitions]
    if len(set(names)) != len(names):
        raise Refused(1920)
    for each in definitions:
        _fits(database, each)
    used = {vertex for each in definitions for vertex in (*each["from"], *each["to"])}
    orphans = [each for each in body.get("orphanCollections") or [] if each not in used]
    _make(database, definitions, orphans)
    made = {"_key": name, **_sharding(body), "edgeDefinitions": definitions, "orphanCollections": orphans}
    return _written(documents.insert(database.collections["_graphs"], made).new)


def drop(database: Database, found: Graph, with_collections: bool) -> None:
    """`with_collections` takes those along that no other graph uses."""
    del database.graphs[found["_key"]]
    if with_collections:
        kept = {name for other in database.graphs.values() for name in members(other)}
        for name in members(found):
            if name not in kept:
                database.collections.pop(name, None)


def members(found: Graph) -> list[str]:
    return [*(each["collection"] for each in found["edgeDefinitions"]), *vertices(found)]


def vertices(found: Graph) -> list[str]:
    used = {name for each in found["edgeDefinitions"] for name in (*each["from"], *each["to"])}
    return sorted(used | set(found["orphanCollections"]))


def add_definition(database: Database, found: Graph, body: Mapping[str, Any]) -> Graph:
    """Raises Refused (1920, 1921, 1923, 1944)."""
    made = checked(body)
    if any(each["collection"] == made["collection"] for each in found["edgeDefinitions"]):
        raise Refused(1920)
    _fits(database, made)
    return _changed(database, found, [*found["edgeDefinitions"], made])


def replace_definition(database: Database, found: Graph, name: str, body: Mapping[str, Any]) -> Graph:
    """Raises Refused (1930, 1923)."""
    made = checked(body)
    _has_definition(found, name)
    if made["collection"] != name:
        raise Refused(1930)
    definitions = [made if each["collection"] == name else each for each in found["edgeDefinitions"]]
    changed = _changed(database, found, definitions)
    for other in database.graphs.values():
        if other["_key"] != found["_key"] and any(each["collection"] == name for each in other["edgeDefinitions"]):
            again = [made if each["collection"] == name else each for each in other["edgeDefinitions"]]
            _changed(database, other, again)
    return changed


def remove_definition(database: Database, found: Graph, name: str, with_collection: bool) -> Graph:
    """Raises Refused (1930)."""
    _has_definition(found, name)
    changed = _changed(database, found, [each for each in found["edgeDefinitions"] if each["collection"] != name])
    used = {each for other in database.graphs.values() for each in members(other)}
    if with_collection and name not in used:
        database.collections.pop(name, None)
    return changed


def add_orphan(database: Database, found: Graph, name: str) -> Graph:
    """Raises Refused (1929, 1938, 1927)."""
    if name in found["orphanCollections"]:
        raise Refused(1938)
    if name in vertices(found):
        raise Refused(1929)
    _make(database, [], [name])
    return _set(database, found, orphanCollections=[*found["orphanCollections"], name])


def remove_orphan(database: Database, found: Graph, name: str, with_collection: bool) -> Graph:
    """Raises Refused (1926, 1928)."""
    if name not in found["orphanCollections"]:
        raise Refused(1928 if name in vertices(found) or name in database.collections else 1926)
    changed = _set(database, found, orphanCollections=[each for each in found["orphanCollections"] if each != name])
    if with_collection and not any(name in members(other) for other in database.graphs.values()):
        database.collections.pop(name, None)
    return changed


def checked(body: Any) -> Graph:
    """An edge definition. Raises Refused (1923)."""
    given = body if isinstance(body, dict) else {}
    ends = [given.get("from"), given.get("to")]
    names = [each for end in ends if isinstance(end, list) for each in end]
    if not given.get("collection") or not all(isinstance(end, list) and end for end in ends):
        raise Refused(1923)
    if not all(isinstance(each, str) and each for each in names):
        raise Refused(1923)
    return {"collection": given["collection"], "from": sorted(set(ends[0])), "to": sorted(set(ends[1]))}


def _fits(database: Database, made: Graph) -> None:
    """Raises Refused (1921, 1944, 1927): with the other graphs, and with the collections that are there."""
    for other in database.graphs.values():
        if any(each["collection"] == made["collection"] and each != made for each in other["edgeDefinitions"]):
            raise Refused(1921)
    edges = database.collections.get(made["collection"])
    if edges is not None and edges.kind != EDGE:
        raise Refused(1944)


def _make(database: Database, definitions: list[Graph], orphans: list[str]) -> None:
    wanted = [(each["collection"], EDGE) for each in definitions]
    wanted += [(name, DOCUMENT) for each in definitions for name in (*each["from"], *each["to"])]
    wanted += [(name, DOCUMENT) for name in orphans]
    for name, kind in wanted:
        there = database.collections.get(name)
        if there is None:
            database.create_collection({"name": name, "type": kind})
        elif kind == DOCUMENT and there.kind == EDGE:
            raise Refused(1927)


def _changed(database: Database, found: Graph, definitions: list[Graph]) -> Graph:
    """The graph with these definitions; a vertex collection that none of them names becomes an orphan."""
    _make(database, definitions, [])
    used = {name for each in definitions for name in (*each["from"], *each["to"])}
    before = [
        *found["orphanCollections"],
        *(name for name in vertices(found) if name not in found["orphanCollections"]),
    ]
    return _set(
        database,
        found,
        edgeDefinitions=definitions,
        orphanCollections=[name for name in before if name not in used],
    )


def _set(database: Database, found: Graph, **what: Any) -> Graph:
    return _written(documents.update(database.collections["_graphs"], found["_key"], what).new)


def _written(document: Graph | None) -> Graph:
    assert document is not None
    return document


def _has_definition(found: Graph, name: str) -> None:
    if all(each["collection"] != name for each in found["edgeDefinitions"]):
        raise Refused(1930)


def _sharding(body: Mapping[str, Any]) -> Graph:
    """What a smart graph is told besides; a plain one of a single server has none of it."""
    if not body.get("isSmart"):
        return {}
    options = body.get("options") or {}
    first = (body.get("edgeDefinitions") or [{"from": [""]}])[0]["from"][0]
    attribute = {"smartGraphAttribute": options["smartGraphAttribute"]} if "smartGraphAttribute" in options else {}
    return {
        "numberOfShards": options.get("numberOfShards", 1),
        "replicationFactor": options.get("replicationFactor", 1),
        "minReplicationFactor": 1,
        "writeConcern": options.get("writeConcern", 1),
        "isSmart": True,
        "isSatellite": False,
        "initial": first,
        **attribute,
        "isDisjoint": bool(options.get("isDisjoint", body.get("isDisjoint", False))),
    }
