"""Writes provision/stores/weaviate/migrate/class_schema.json from Weaviate's OpenAPI document.

`.venv/bin/python docs/generate_weaviate_schema.py [OPENAPI.json] [--check]`. The vendor publishes Swagger 2.0
(openapi-specs/schema.json of github.com/weaviate/weaviate at the tag of a release); the script reads it converted to
OpenAPI 3. With `--check` nothing is written: exit code 1 when the file is not what would be written.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vendor_schema import ROOT, SPECS, main

OPENAPI = SPECS / "weaviate-openapi3.json"
SHIPPED = ROOT / "provision/stores/weaviate/migrate/class_schema.json"
REFERENCE = "#/components/schemas/"
ROOTS = ("Class", "Property", "VectorConfig", "Tenant")

# Keys of the vendor's document that a migration has no use for.
LEFT_OUT = {
    "Property": {"bucketGeneration", "searchableBlockmax"},  # "internal use; clients must not set this"
    "Tenant": set[str](),
}
STATUSES = ["ACTIVE", "INACTIVE", "OFFLOADED"]  # of a tenant, that a client may ask for; the older words mean the same

COUNT = {"type": "integer", "minimum": 0}
LIMIT = {"type": "integer", "minimum": -1}  # -1: chosen by the server
FLAG = {"type": "boolean"}
DISTANCE = {"enum": ["cosine", "dot", "l2-squared", "manhattan", "hamming"]}


def closed(**properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


# What the vendor's document leaves as an object of anything. A key that is not here is one that the server drops in
# silence; the names are those of its answers (tests read them back from a running server).
INDEXES = {
    "Hnsw": closed(
        skip=FLAG,
        cleanupIntervalSeconds=COUNT,
        maxConnections=COUNT,
        efConstruction=COUNT,
        ef=LIMIT,
        dynamicEfMin=COUNT,
        dynamicEfMax=COUNT,
        dynamicEfFactor=COUNT,
        vectorCacheMaxObjects=COUNT,
        flatSearchCutoff=COUNT,
        distance=DISTANCE,
        filterStrategy={"enum": ["sweeping", "acorn"]},
        pq=closed(
            enabled=FLAG,
            bitCompression=FLAG,
            segments=COUNT,
            centroids=COUNT,
            trainingLimit=COUNT,
            encoder=closed(type={"enum": ["kmeans", "tile"]}, distribution={"enum": ["log-normal", "normal"]}),
        ),
        bq=closed(enabled=FLAG),
        sq=closed(enabled=FLAG, trainingLimit=COUNT, rescoreLimit=LIMIT),
        rq=closed(enabled=FLAG, bits=COUNT, rescoreLimit=LIMIT),
        multivector=closed(
            enabled=FLAG,
            muvera=closed(enabled=FLAG, ksim=COUNT, dprojections=COUNT, repetitions=COUNT),
            aggregation={"enum": ["maxSim"]},
        ),
        skipDefaultQuantization=FLAG,
    ),
    "Flat": closed(
        distance=DISTANCE,
        vectorCacheMaxObjects=COUNT,
        pq=closed(enabled=FLAG, cache=FLAG, rescoreLimit=LIMIT),
        bq=closed(enabled=FLAG, cache=FLAG, rescoreLimit=LIMIT),
        sq=closed(enabled=FLAG, cache=FLAG, rescoreLimit=LIMIT),
        rq=closed(enabled=FLAG, cache=FLAG, rescoreLimit=LIMIT, bits=COUNT),
        skipDefaultQuantization=FLAG,
    ),
    "Dynamic": closed(
        distance=DISTANCE,
        threshold=COUNT,
        hnsw={"$ref": "#/$defs/Hnsw"},
        flat={"$ref": "#/$defs/Flat"},
    ),
    "Hfresh": closed(
        distance=DISTANCE,
        maxPostingSizeKB=COUNT,
        replicas=COUNT,
        searchProbe=COUNT,
        rq=closed(enabled=FLAG, bits=COUNT, rescoreLimit=LIMIT),
    ),
}
SHARDING = closed(
    virtualPerPhysical=COUNT,
    desiredCount=COUNT,
    desiredVirtualCount=COUNT,
    key={"enum": ["_id"]},
    strategy={"enum": ["hash"]},
    function={"enum": ["murmur3"]},
)


def generated(openapi: Path) -> str:
    """The text of the shipped file. Raises OSError and ValueError."""
    document = json.loads(openapi.read_text(encoding="utf-8"))
    schemas, about = document["components"]["schemas"], document["info"]
    made = {
        "$comment": f"Made by docs/generate_weaviate_schema.py from the {about['title']} {about['version']},"
        f" {about['license']['name']}; see NOTICE.",
        "$defs": {name: _converted(name, schemas[name]) for name in sorted(_reached(schemas, ROOTS))} | INDEXES,
    }
    _extend(made["$defs"])
    return json.dumps(made, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _reached(schemas: Mapping[str, Any], names: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [each["$ref"].removeprefix(REFERENCE) for each in _referring(schemas[name])]
    return found


def _converted(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """An OpenAPI 3.0 schema as JSON Schema: nothing but the keys that are named, and no null."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"].replace(REFERENCE, "#/$defs/")}
    kept = {key: schema[key] for key in ("type", "enum") if key in schema}
    if "properties" in schema:
        left_out = LEFT_OUT.get(name, set())
        kept["type"] = "object"
        kept["additionalProperties"] = False
        kept["properties"] = {
            key: _converted("", each) for key, each in schema["properties"].items() if key not in left_out
        }
    elif isinstance(schema.get("additionalProperties"), dict):
        kept["additionalProperties"] = _converted("", schema["additionalProperties"])
    if "items" in schema:
        kept["items"] = _converted("", schema["items"])
    if "description" in schema:
        # Editors show this one; `description` would be part of an error's text.
        kept["markdownDescription"] = schema["description"].replace("<br/>", "\n")
    return kept


def _extend(defs: dict[str, Any]) -> None:
    """Say of the open places what the server takes there, and what may not be left out."""
    of_type: dict[str, Any] = {
        "properties": {"vectorIndexType": {"enum": [name.lower() for name in INDEXES]}},
        "allOf": [_index("Hnsw", [])] + [_index(name, ["vectorIndexType"]) for name in INDEXES if name != "Hnsw"],
    }
    for name in ("Class", "VectorConfig"):
        defs[name]["properties"] |= of_type["properties"]
        defs[name]["allOf"] = of_type["allOf"]
    module = {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": {"type": "object"}}
    defs["VectorConfig"]["properties"]["vectorizer"] |= module
    defs["VectorConfig"]["required"] = ["vectorizer"]
    defs["Class"]["required"] = ["class"]
    defs["Class"]["properties"]["shardingConfig"] |= SHARDING
    # Understood and answered by every server so far, and in no document of the vendor's since 1.39.
    defs["ReplicationConfig"]["properties"].setdefault("asyncEnabled", FLAG)
    defs["Property"]["required"] = ["name", "dataType"]
    defs["NestedProperty"]["required"] = ["name", "dataType"]
    for name in ("Property", "NestedProperty"):
        defs[name]["properties"]["dataType"]["minItems"] = 1
    defs["Tenant"]["required"] = ["name"]
    defs["Tenant"]["properties"]["activityStatus"]["enum"] = STATUSES
    _extend_by_updates(defs)


def _extend_by_updates(defs: dict[str, Any]) -> None:
    """The same without what must be stated: an update names the keys that change, and leaves the index type unsaid."""
    defs["AnyIndex"] = _union([defs[name] for name in INDEXES])
    for name in ("Class", "Property", "NestedProperty", "VectorConfig"):
        made = json.loads(json.dumps(defs[name]))
        made.pop("allOf", None)
        made["required"] = [key for key in made.get("required", ()) if key in ("class", "name")]
        if "vectorIndexConfig" in made["properties"]:
            made["properties"]["vectorIndexConfig"] = {"$ref": "#/$defs/AnyIndex"}
        defs[f"{name}Update"] = made
    for reference in _referring([defs[f"{name}Update"] for name in ("Class", "Property", "NestedProperty")]):
        name = reference["$ref"].rpartition("/")[2]
        if f"{name}Update" in defs:
            reference["$ref"] = f"#/$defs/{name}Update"


def _union(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """An object with every key of any of these; a key that is an object in several is the union of those."""
    made: dict[str, Any] = {}
    for schema in schemas:
        for key, each in schema["properties"].items():
            both = "properties" in each and "properties" in made.get(key, {})
            made[key] = _union([made[key], each]) if both else each
    return closed(**made)


def _referring(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value
        for each in value.values():
            yield from _referring(each)
    elif isinstance(value, list):
        for each in value:
            yield from _referring(each)


def _index(name: str, required: list[str]) -> dict[str, Any]:
    """`vectorIndexConfig` is that of the index's type; a class or vector without a type gets hnsw."""
    return {
        "if": {"properties": {"vectorIndexType": {"const": name.lower()}}, "required": required},
        "then": {"properties": {"vectorIndexConfig": {"$ref": f"#/$defs/{name}"}}},
    }


if __name__ == "__main__":
    sys.exit(main(__doc__, OPENAPI, SHIPPED, generated))
