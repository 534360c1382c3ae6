"""What the server fills in where a class says nothing, as 1.39 does; the tests read every value back from a real one.

A comparison asks only for what a document states and for what is `fixed`, so that another version's defaults make no
difference there. The table serves `import`, which leaves defaults out, and the comparison of documents with each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

TEXTS = ("text", "text[]")

_HNSW: Mapping[str, Any] = {
    "skip": False,
    "cleanupIntervalSeconds": 300,
    "maxConnections": 32,
    "efConstruction": 128,
    "ef": -1,
    "dynamicEfMin": 100,
    "dynamicEfMax": 500,
    "dynamicEfFactor": 8,
    "vectorCacheMaxObjects": 1_000_000_000_000,
    "flatSearchCutoff": 40_000,
    "distance": "cosine",
    "filterStrategy": "acorn",
    "pq": {
        "enabled": False,
        "bitCompression": False,
        "segments": 0,
        "centroids": 256,
        "trainingLimit": 100_000,
        "encoder": {"type": "kmeans", "distribution": "log-normal"},
    },
    "bq": {"enabled": False},
    "sq": {"enabled": False, "trainingLimit": 100_000, "rescoreLimit": 20},
    "rq": {"enabled": False, "bits": 8, "rescoreLimit": 20},
    "multivector": {
        "enabled": False,
        "muvera": {"enabled": False, "ksim": 4, "dprojections": 16, "repetitions": 10},
        "aggregation": "maxSim",
    },
    "skipDefaultQuantization": False,
    "trackDefaultQuantization": False,
}
_COMPRESSED = {"enabled": False, "rescoreLimit": -1, "cache": False}
_FLAT: Mapping[str, Any] = {
    "distance": "cosine",
    "vectorCacheMaxObjects": 1_000_000_000_000,
    "pq": _COMPRESSED,
    "bq": _COMPRESSED,
    "sq": _COMPRESSED,
    "rq": {**_COMPRESSED, "bits": 8},
    "skipDefaultQuantization": False,
    "trackDefaultQuantization": False,
}
INDEXES: Mapping[str, Mapping[str, Any]] = {
    "hnsw": _HNSW,
    "flat": _FLAT,
    "dynamic": {"distance": "cosine", "threshold": 10_000, "hnsw": _HNSW, "flat": _FLAT},
    "hfresh": {
        "distance": "cosine",
        "maxPostingSizeKB": 48,
        "replicas": 4,
        "searchProbe": 256,
        "rq": {"enabled": True, "bits": 1, "rescoreLimit": 350},
    },
}
CLASS: Mapping[str, Any] = {
    "invertedIndexConfig": {
        "bm25": {"b": 0.75, "k1": 1.2},
        "cleanupIntervalSeconds": 60,
        "stopwords": {"preset": "en", "additions": None, "removals": None},
        "usingBlockMaxWAND": True,
    },
    "multiTenancyConfig": {"enabled": False, "autoTenantActivation": False, "autoTenantCreation": False},
    "replicationConfig": {"factor": 1, "asyncEnabled": False, "deletionStrategy": "TimeBasedResolution"},
}
# Of a collection without tenants; with tenants the server answers zeros and empty texts.
SHARDING: Mapping[str, Any] = {
    "virtualPerPhysical": 128,
    "desiredCount": 1,
    "actualCount": 1,
    "desiredVirtualCount": 128,
    "actualVirtualCount": 128,
    "key": "_id",
    "strategy": "hash",
    "function": "murmur3",
}
# What the server counts or notes down itself, whatever a class says.
_ITS_OWN = frozenset({"actualCount", "actualVirtualCount", "desiredVirtualCount", "trackDefaultQuantization"})


def property_defaults(stated: Mapping[str, Any]) -> dict[str, Any]:
    """What the server fills in for a property (nested ones too) of that data type."""
    text = stated["dataType"][0] in TEXTS
    made = {"indexFilterable": True, "indexRangeFilters": False, "indexSearchable": text}
    return {**made, "tokenization": "word"} if text else made


def class_defaults(stated: Mapping[str, Any]) -> dict[str, Any]:
    """What the server fills in for a class, but for its properties and named vectors."""
    made = {**CLASS}
    if not stated.get("multiTenancyConfig", {}).get("enabled"):
        made["shardingConfig"] = SHARDING
    if not stated.get("vectorConfig"):
        kind = stated.get("vectorIndexType", "hnsw")
        made |= {"vectorizer": "none", "vectorIndexType": kind, "vectorIndexConfig": INDEXES[kind]}
    return made


def vector_defaults(stated: Mapping[str, Any]) -> dict[str, Any]:
    """What the server fills in for a named vector."""
    kind = stated.get("vectorIndexType", "hnsw")
    return {"vectorIndexType": kind, "vectorIndexConfig": INDEXES[kind]}


def filled(stated: Mapping[str, Any]) -> dict[str, Any]:
    """The class as the server would answer it."""
    made = _under(class_defaults(stated), stated)
    if stated.get("properties"):
        made["properties"] = [_filled_property(each) for each in stated["properties"]]
    if stated.get("vectorConfig"):
        made["vectorConfig"] = {
            name: _under(vector_defaults(each), each) for name, each in stated["vectorConfig"].items()
        }
    return made


def fixed(stated: Mapping[str, Any]) -> dict[str, Any]:
    """The class with what every version fills in alike and lets nobody change: no tenants, texts in words."""
    made = {**stated, "multiTenancyConfig": {"enabled": False, **stated.get("multiTenancyConfig", {})}}
    if stated.get("properties"):
        made["properties"] = [_fixed_property(each) for each in stated["properties"]]
    return made


def bare(found: Mapping[str, Any]) -> dict[str, Any]:
    """The class as a document would state it: without what the server fills in anyway."""
    made: dict[str, Any] = _without(class_defaults(found), found)
    if not found.get("vectorConfig"):
        # Said always: a server may have another default vectorizer, and a distance decides what is near.
        made |= {"vectorizer": found["vectorizer"], "vectorIndexType": found["vectorIndexType"]}
        made["vectorIndexConfig"] = _distance(found) | made.get("vectorIndexConfig", {})
    if found.get("multiTenancyConfig", {}).get("enabled"):
        made.pop("shardingConfig", None)
    if found.get("vectorConfig"):
        made["vectorConfig"] = {name: _bare_vector(each) for name, each in sorted(found["vectorConfig"].items())}
    if found.get("properties"):
        made["properties"] = [_bare_property(each) for each in found["properties"]]
    first = ("class", "description", "vectorizer", "vectorConfig", "vectorIndexType", "vectorIndexConfig")
    last = ("properties",)
    middle = [key for key in made if key not in first and key not in last]
    return {key: made[key] for key in (*first, *middle, *last) if key in made and made[key] not in ({}, None)}


def _filled_property(stated: Mapping[str, Any]) -> dict[str, Any]:
    made = _under(property_defaults(stated), stated)
    if stated.get("nestedProperties"):
        made["nestedProperties"] = [_filled_property(each) for each in stated["nestedProperties"]]
    return made


def _fixed_property(stated: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(stated)
    if stated["dataType"][0] in TEXTS:
        made.setdefault("tokenization", "word")
    if stated.get("nestedProperties"):
        made["nestedProperties"] = [_fixed_property(each) for each in stated["nestedProperties"]]
    return made


def _bare_property(found: Mapping[str, Any]) -> dict[str, Any]:
    made = {"name": found["name"], "dataType": found["dataType"], **_without(property_defaults(found), found)}
    if found.get("nestedProperties"):
        made["nestedProperties"] = [_bare_property(each) for each in found["nestedProperties"]]
    return made


def _bare_vector(found: Mapping[str, Any]) -> dict[str, Any]:
    made = _without(vector_defaults(found), found)
    index = _distance(found) | made.get("vectorIndexConfig", {})
    return {
        "vectorizer": found["vectorizer"],
        "vectorIndexType": found["vectorIndexType"],
        "vectorIndexConfig": index,
    }


def _distance(found: Mapping[str, Any]) -> dict[str, Any]:
    return {"distance": found["vectorIndexConfig"]["distance"]}


def _under(defaults: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(defaults)
    for key, value in stated.items():
        below = made.get(key)
        made[key] = _under(below, value) if isinstance(below, dict) and isinstance(value, dict) else value
    return made


def _without(defaults: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any]:
    made = {}
    for key, value in found.items():
        if key in _ITS_OWN or (key in defaults and defaults[key] == value):
            continue
        kept = _without(defaults.get(key, {}), value) if isinstance(value, dict) else value
        if kept not in ({}, None, [], "") or (isinstance(value, dict) and not value):
            made[key] = kept
    return made
