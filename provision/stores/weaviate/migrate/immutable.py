"""What the server never changes in a collection that is there, and why; the way round is a new collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provision.stores.weaviate.migrate.compare import Difference

_GRAPH = "the graph of a vector index is built with it"
_KEPT = "the server keeps what the index was made with"
_INVERTED = "the index would lack every object that is there already"
_SHARDS = "objects lie in their shards already"

_OF_CLASS: Mapping[str, str] = {
    "class": "a collection cannot be renamed",
    "vectorizer": "the vectors that are there came from the old one",
    "vectorIndexType": _KEPT,
    "shardingConfig": _SHARDS,
}
_OF_INVERTED = {
    "indexTimestamps": _INVERTED,
    "indexNullState": _INVERTED,
    "indexPropertyLength": _INVERTED,
    "usingBlockMaxWAND": _KEPT,
}
_OF_INDEX: Mapping[str, Mapping[tuple[str, ...], str]] = {
    "hnsw": {
        ("distance",): _GRAPH,
        ("efConstruction",): _GRAPH,
        ("maxConnections",): _GRAPH,
        ("cleanupIntervalSeconds",): _KEPT,
        ("multivector", "enabled"): _GRAPH,
        ("multivector", "muvera", "enabled"): _GRAPH,
        ("rq", "bits"): _KEPT,
        ("skipDefaultQuantization",): _KEPT,
    },
    "flat": {
        ("distance",): _KEPT,
        ("pq", "cache"): _KEPT,
        ("pq", "enabled"): _KEPT,
        ("bq", "enabled"): _KEPT,
        ("rq", "enabled"): _KEPT,
        ("rq", "bits"): _KEPT,
        ("skipDefaultQuantization",): _KEPT,
    },
    "dynamic": {("distance",): _GRAPH},
    "hfresh": {("distance",): _GRAPH, ("replicas",): _KEPT},
}


def reason(difference: Difference, found: Mapping[str, Any]) -> str | None:
    """Why the collection `found` cannot be changed so; None when it can."""
    match difference.path:
        case ("properties", _, "description") | ("properties", _, "nestedProperties", _, "description"):
            return None
        case ("properties", name) if difference.found is None:
            return f"a property is added with `add_property`, {name} is not there"
        case ("properties", *_):
            return "the values that are there are stored and indexed by it"
        case ("vectorConfig", name) if difference.found is None:
            return f"a vector is added with `add_vector`, {name} is not there"
        case ("vectorConfig", _, "vectorizer", *_):
            return _OF_CLASS["vectorizer"]
        case ("vectorConfig", _, "vectorIndexType"):
            return _KEPT
        case ("vectorConfig", name, "vectorIndexConfig", *rest):
            return _of_index(found["vectorConfig"][name], tuple(rest))
        case ("vectorIndexConfig", *rest):
            return _of_index(found, tuple(rest))
        case ("invertedIndexConfig", key):
            return _OF_INVERTED.get(key)
        case ("multiTenancyConfig", "enabled"):
            return "objects lie in one shard or in their tenants' shards"
        case (key, *_):
            return _OF_CLASS.get(key)
    return None


def way_round(difference: Difference, name: str, alias: str) -> str:
    """What to write instead, for a change of collection `name`, behind `alias`, that the server does not make."""
    match difference.path:
        case ("properties", _) if difference.found is None:
            return f"write `add_property: {{class: {name}, property: {{…}}}}`"
        case ("vectorConfig", _) if difference.found is None:
            return f"write `add_vector: {{class: {name}, vectorConfig: {{…}}}}`"
    return replacement(name, alias)


def replacement(name: str, alias: str) -> str:
    """The operation that puts a new collection with the objects of the old one behind its alias."""
    new = _next(name)
    first = "" if alias else f"`create_alias: {{alias: …, class: {name}}}`, then "
    return f"write {first}`replace_collection: {{alias: {alias or '…'}, class: {{class: {new}, …}}, keep: 7d}}`"


def _next(name: str) -> str:
    """The name of the collection after this one: ArticleV1, ArticleV2; Article, ArticleV2."""
    counted = re.fullmatch(r"(.*[^0-9])([0-9]+)", name)
    return f"{counted[1]}{int(counted[2]) + 1}" if counted else f"{name}V2"


def _of_index(holder: Mapping[str, Any], rest: tuple[str, ...]) -> str | None:
    kind = holder.get("vectorIndexType", "hnsw")
    if kind == "dynamic" and rest and rest[0] in ("hnsw", "flat"):
        return _OF_INDEX[rest[0]].get(rest[1:])
    return _OF_INDEX.get(kind, {}).get(rest)
