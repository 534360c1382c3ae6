"""The JSON Schemas of the operations' bodies: the vendor's own, closed, with what the vendor says in prose only."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

_NAME = {"type": "string", "minLength": 1, "description": "a name"}
_KEYS = ("traditional", "autoincrement", "uuid", "padded")
_TYPE = {"enum": [2, 3], "description": "2 for a document collection, 3 for an edge collection"}


def body_of(operation: str, also: Mapping[str, Any] | None = None) -> Schema:
    """The schema of an operation's body; `also` are further keys."""
    made = _MADE[operation]()
    made["properties"] |= also or {}
    return {"description": "a mapping with the keys of this operation", **made}


@cache
def _text() -> str:
    return Path(__file__).with_name("body_schemas.json").read_text(encoding="utf-8")


def _vendor(name: str) -> Schema:
    schema: Schema = json.loads(_text())[name]
    if "properties" in schema:
        schema["properties"]["name"] = _NAME
    return schema


def _collection() -> Schema:
    made = _vendor("collection")
    made["properties"]["type"] = _TYPE
    made["properties"]["keyOptions"]["properties"]["type"] = {"enum": list(_KEYS)}
    # In a cluster both take the word too.
    made["properties"]["replicationFactor"] = {"anyOf": [{"type": "integer", "minimum": 1}, {"const": "satellite"}]}
    return _with_plain_schema(made)


def _properties() -> Schema:
    made = _with_plain_schema(_vendor("properties"))
    made["properties"]["schema"]["type"] = ["object", "null"]  # null takes the validation away
    return made | {"required": ["name"], "minProperties": 2}


def _with_plain_schema(made: Schema) -> Schema:
    """With `type: json` in a document schema, which servers answer with and the vendor's document leaves out."""
    made["properties"]["schema"]["properties"]["type"] = {"const": "json"}
    return made


def _graph() -> Schema:
    made = _vendor("graph")
    definition = made["properties"]["edgeDefinitions"]["items"]
    for side in ("from", "to"):
        definition["properties"][side] |= {"minItems": 1, "uniqueItems": True}
    return made | {"required": ["name", "edgeDefinitions"]}


def _altered_graph() -> Schema:
    made = _graph()
    kept = ("name", "edgeDefinitions", "orphanCollections")
    return made | {"properties": {key: made["properties"][key] for key in kept}}


def _index() -> Schema:
    kinds = _vendor("index")
    for each in kinds.values():
        each["properties"] = {"collection": _NAME, **each["properties"], "name": _NAME}
        each["properties"]["fields"].setdefault("minItems", 1)
        del each["required"]
    required = {"ttl": ["expireAfter"], "mdi": ["fieldValueTypes"], "vector": ["params"]}
    required["mdi-prefixed"] = ["fieldValueTypes", "prefixFields"]
    return _by_type(kinds, ["collection", "name", "type", "fields"], required)


def _view() -> Schema:
    kinds = _vendor("view")
    for each in kinds.values():
        each["properties"]["name"] = _NAME
        del each["required"]
    return _by_type(kinds, ["name", "type"], {})


def _by_type(kinds: Mapping[str, Schema], always: list[str], required: Mapping[str, list[str]]) -> Schema:
    """A body whose `type` says which of the schemas it follows."""
    branches = []
    for kind, schema in kinds.items():
        wanted = {"properties": {"type": {"const": kind}}, "required": ["type"]}
        branches.append({"if": wanted, "then": schema | {"required": required.get(kind, [])}})
    kind_of = {"enum": list(kinds), "description": f"one of {', '.join(kinds)}"}
    return {"type": "object", "required": always, "properties": {"type": kind_of}, "allOf": branches}


def _documents() -> Schema:
    document = {
        "type": "object",
        "required": ["_key"],
        "properties": {"_key": {"type": "string", "description": "text, the document's key"}},
        "not": {"anyOf": [{"required": ["_id"]}, {"required": ["_rev"]}]},
        "description": "a document with `_key`, and without `_id` and `_rev`, which the server writes",
    }
    documents = {"type": "array", "minItems": 1, "items": document, "description": "a list of documents"}
    return {
        "type": "object",
        "required": ["collection", "documents"],
        "additionalProperties": False,
        "properties": {"collection": _NAME, "documents": documents},
    }


_MADE: Mapping[str, Callable[[], Schema]] = {
    "create_database": lambda: _vendor("database"),
    "create_collection": _collection,
    "update_collection": _properties,
    "create_index": _index,
    "create_graph": _graph,
    "alter_graph": _altered_graph,
    "create_view": _view,
    "create_analyzer": lambda: _vendor("analyzer"),
    "insert_documents": _documents,
}
