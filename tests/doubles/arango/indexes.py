"""Index definitions: what is filled in, when two are the same, and what a unique one refuses."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.doubles.arango.collections import Collection
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.names import check_collection

# How many entries of documents a collection keeps at hand.
REMEMBERED = 50_000
TYPES = ("persistent", "hash", "skiplist", "ttl", "geo", "fulltext", "inverted", "mdi", "mdi-prefixed", "zkd", "vector")
_SORTED = {"cacheEnabled": False, "deduplicate": True, "estimates": True, "selectivityEstimate": 1}
_INVERTED = {
    "analyzer": "identity",
    "cleanupIntervalStep": 2,
    "commitIntervalMsec": 1000,
    "consolidationIntervalMsec": 5000,
    "consolidationPolicy": {
        "type": "tier",
        "segmentsBytesMax": 8589934592,
        "maxSkewThreshold": 0.4,
        "minDeletionRatio": 0.5,
    },
    "features": ["frequency", "norm"],
    "includeAllFields": False,
    "optimizeTopK": [],
    "primarySort": {"fields": [], "compression": "lz4"},
    "searchField": False,
    "storedValues": [],
    "trackListPositions": False,
    "version": 1,
    "writebufferActive": 0,
    "writebufferIdle": 64,
    "writebufferSizeMax": 33554432,
}
_FILLED: dict[str, dict[str, Any]] = {
    "persistent": _SORTED,
    "hash": _SORTED,
    "skiplist": _SORTED,
    "ttl": {"expireAfter": 0, "sparse": True, "estimates": False, "selectivityEstimate": 1},
    "geo": {
        "geoJson": False,
        "legacyPolygons": False,
        "sparse": True,
        "bestIndexedLevel": 17,
        "worstIndexedLevel": 4,
        "maxNumCoverCells": 8,
    },
    "fulltext": {"minLength": 2, "sparse": True},
    "inverted": {**_INVERTED, "sparse": True},
    "mdi": {"fieldValueTypes": "double", "estimates": False, "selectivityEstimate": 1},
    "zkd": {"fieldValueTypes": "double", "estimates": False, "selectivityEstimate": 1},
    "mdi-prefixed": {
        "fieldValueTypes": "double",
        "prefixFields": [],
        "sparse": False,
        "estimates": True,
        "selectivityEstimate": 1,
    },
}
# What makes two definitions one index; name, storedValues, cacheEnabled and estimates do not.
_SAME = ("type", "fields", "unique", "sparse", "expireAfter", "geoJson", "prefixFields", "analyzer", "minLength")
_KEPT = ("storedValues", "cacheEnabled", "deduplicate", "estimates", "expireAfter", "geoJson", "legacyPolygons")
_KEPT += ("minLength", "fieldValueTypes", "prefixFields")


def create(collection: Collection, body: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The index, and whether it is new: an equal one that is there is handed back. Raises Refused."""
    made = _defined(collection, body)
    for each in collection.indexes:
        if all(each.get(name) == made.get(name) for name in _SAME):
            return each, False
    if any(each["name"] == made["name"] for each in collection.indexes):
        raise Refused(1005)
    if made["unique"]:
        _check_data(collection, made)
    collection.indexes.append(made)
    return made, True


def drop(collection: Collection, id: str) -> dict[str, Any]:
    """The index, gone. Raises Refused (1212; forbidden for those that each collection has)."""
    found = collection.index(id)
    if found["type"] in ("primary", "edge"):
        raise Refused(11)
    collection.indexes.remove(found)
    return found


def check_unique(collection: Collection, document: Mapping[str, Any], but: str | None = None) -> None:
    """Raises Refused (1210) where another document than `but` has the same values in a unique index."""
    for index in collection.indexes:
        if not index["unique"] or index["type"] == "primary":
            continue
        values = _entries(collection, index, document)
        for other in collection.documents.values():
            if other["_key"] != but and not values.isdisjoint(_entries(collection, index, other)):
                raise Refused(1210, conflict(index, other["_key"]))


def conflict(index: Mapping[str, Any], key: str) -> str:
    fields = "', '".join(index["fields"])
    said = f"unique constraint violated - in index {index['name']} of type {index['type']} over '{fields}'"
    return f"{said}; conflicting key: {key}"


def _check_data(collection: Collection, index: Mapping[str, Any]) -> None:
    seen: dict[str, str] = {}
    for document in collection.documents.values():
        for value in _entries(collection, index, document):
            if value in seen:
                raise Refused(1210, conflict(index, seen[value]), status=400)
            seen[value] = document["_key"]


def _entries(collection: Collection, index: Mapping[str, Any], document: Mapping[str, Any]) -> frozenset[str]:
    """The entries of a document in an index, found once for each of its revisions."""
    place = index["id"], document["_rev"]
    if place not in collection.entries:
        if len(collection.entries) >= REMEMBERED:
            collection.entries.clear()
        collection.entries[place] = frozenset(_values(index, document))
    return collection.entries[place]


def _values(index: Mapping[str, Any], document: Mapping[str, Any]) -> Iterator[str]:
    """The entries of a document in an index; a field `a[*]` makes one for each member of the array."""
    entries: list[list[Any]] = [[]]
    for field in index["fields"]:
        path, _, inner = field.partition("[*]")
        found = [_at(document, path)]
        if "[*]" in field:
            members = found[0] if isinstance(found[0], list) else []
            found = [_at(each, inner.lstrip(".")) if inner else each for each in members]
        entries = [[*entry, value] for entry in entries for value in found]
    for entry in entries:
        if not (index["sparse"] and any(value is None for value in entry)):
            yield json.dumps(entry, sort_keys=True)


def _at(value: Any, path: str) -> Any:
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _defined(collection: Collection, body: Mapping[str, Any]) -> dict[str, Any]:
    kind = body.get("type")
    if kind in ("primary", "edge"):
        raise Refused(11, "cannot create primary index" if kind == "primary" else "cannot create edge index")
    if kind == "vector":
        raise Refused(10, "vector index feature is not enabled. Use `--vector-index` to enable it.")
    if kind not in TYPES:
        raise Refused(10, "invalid index type")
    fields = _fields(kind, body)
    made = {"unique": False, "sparse": False, **copy.deepcopy(_FILLED[kind])}
    made |= {name: body[name] for name in ("unique", "sparse") if name in body}
    if kind in ("ttl", "geo", "fulltext", "inverted"):
        made |= {"unique": False, "sparse": True}
    kept = _INVERTED if kind == "inverted" else _KEPT
    made |= {name: body[name] for name in kept if name in body}
    name = check_collection(body["name"]) if body.get("name") else collection.ticks.index_name()
    number = collection.ticks.id()
    return {**made, "type": kind, "fields": fields, "name": name, "id": f"{collection.name}/{number}"}


def _fields(kind: str, body: Mapping[str, Any]) -> list[Any]:
    fields = body.get("fields")
    if kind == "inverted":
        return [_inverted_field(each) for each in fields or []]
    if not isinstance(fields, list) or not fields or not all(isinstance(each, str) and each for each in fields):
        raise Refused(10, "invalid index description: 'fields' attribute must be a non-empty array of strings")
    if len(set(fields)) != len(fields):
        raise Refused(10, "duplicate index attribute")
    if kind == "ttl" and (len(fields) != 1 or not isinstance(body.get("expireAfter"), int | float)):
        raise Refused(10, "expireAfter attribute must be a number, and a ttl index is over one field")
    if any(each == "_id" for each in fields):
        raise Refused(10, "_id attribute cannot be indexed")
    return list(fields)


def _inverted_field(given: Any) -> dict[str, Any]:
    if isinstance(given, str):
        return {"name": given}
    if "analyzer" in given and "features" not in given:
        return {"features": ["frequency", "position", "norm"], **given}
    return dict(given)
