"""Writing documents: keys, revisions, the collection's schema, computed values, unique indexes."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft4Validator

from tests.doubles.arango.aql.computed import compute
from tests.doubles.arango.collections import EDGE, Collection
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.indexes import check_unique, conflict

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class How:
    """The options of a write. `revision` is the one that the stored document must have, or empty."""

    mode: str = "conflict"
    keep_null: bool = True
    merge: bool = True
    revision: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class Written:
    """`old` is None for a new document, `new` for a removed one; both are the same where nothing was done."""

    old: Document | None
    new: Document | None

    @property
    def brief(self) -> Document:
        document = self.new or self.old or {}
        said = {name: document[name] for name in ("_id", "_key", "_rev")}
        if self.old is not None and self.new is not None:
            said["_oldRev"] = self.old["_rev"]
        return said


def read(collection: Collection, key: str, revision: str = "") -> Document:
    """Raises Refused (1202, 1200)."""
    found = collection.documents.get(key)
    if found is None:
        raise Refused(1202)
    if revision and found["_rev"] != revision:
        raise stale(found)
    return found


def stale(document: Mapping[str, Any]) -> Refused:
    return Refused(1200, more={name: document[name] for name in ("_id", "_key", "_rev")})


def insert(collection: Collection, body: Any, how: How = How()) -> Written:
    """Raises Refused (1221, 1222, 1227, 1233, 1620, 1210)."""
    if not isinstance(body, dict):
        raise Refused(1227)
    key = collection.keys.given(body["_key"]) if body.get("_key") is not None else collection.keys.next()
    there = collection.documents.get(key)
    if there is not None:
        if how.mode == "ignore":
            return Written(there, there)
        if how.mode in ("replace", "update"):
            return (replace if how.mode == "replace" else update)(collection, key, body, how)
        raise Refused(1210, conflict(collection.indexes[0], key))
    made = _whole(collection, key, body if how.keep_null else _without_nulls(body))
    return Written(None, _stored(collection, made, None, "insert"))


def replace(collection: Collection, key: str, body: Any, how: How = How()) -> Written:
    """Raises Refused (1202, 1200, 1227, 1233, 1620, 1210)."""
    if not isinstance(body, dict):
        raise Refused(1227)
    old = read(collection, key, how.revision)
    if _outdated(old, body, how):
        return Written(old, old)
    ends = {name: old[name] for name in ("_from", "_to") if name in old and name not in body}
    return Written(old, _stored(collection, _whole(collection, key, {**ends, **body}), old, "replace"))


def update(collection: Collection, key: str, body: Any, how: How = How()) -> Written:
    """Raises Refused (1202, 1200, 1227, 1233, 1620, 1210)."""
    if not isinstance(body, dict):
        raise Refused(1227)
    old = read(collection, key, how.revision)
    if _outdated(old, body, how):
        return Written(old, old)
    patch = {name: value for name, value in body.items() if name not in ("_key", "_id", "_rev")}
    merged = _merged(old, patch, how)
    return Written(old, _stored(collection, _whole(collection, key, merged), old, "update"))


def remove(collection: Collection, key: str, how: How = How()) -> Written:
    """Raises Refused (1202, 1200)."""
    old = read(collection, key, how.revision)
    del collection.documents[key]
    return Written(old, None)


def key_of(collection: Collection, selector: Any) -> str:
    """The key that a key, an id or a document names. Raises Refused (1202, 1205, 1213, 1226, 1227)."""
    if isinstance(selector, dict):
        selector = selector.get("_key", selector.get("_id"))
        if selector is None:
            raise Refused(1226)
    if not isinstance(selector, str):
        raise Refused(1205)
    name, slash, key = selector.rpartition("/")
    if slash and name != collection.name:
        raise Refused(1202)
    return key


def _whole(collection: Collection, key: str, body: Mapping[str, Any]) -> Document:
    """The document with its own attributes first and those of the client after. Raises Refused (1233)."""
    made: Document = {"_key": key, "_id": f"{collection.name}/{key}"}
    if collection.kind == EDGE:
        for end in ("_from", "_to"):
            value = body.get(end)
            if not isinstance(value, str) or len(value.split("/")) != 2 or not all(value.split("/")):
                raise Refused(1233)
            made[end] = value
    made["_rev"] = collection.ticks.revision()
    return made | {name: copy.deepcopy(value) for name, value in body.items() if name not in made}


def _stored(collection: Collection, made: Document, old: Document | None, event: str) -> Document:
    made = compute(collection, made, event)
    _check_schema(collection, made, old)
    check_unique(collection, made, made["_key"] if old else None)
    collection.documents[made["_key"]] = made
    return made


def _check_schema(collection: Collection, made: Document, old: Document | None) -> None:
    """Raises Refused (1620)."""
    schema = collection.properties["schema"]
    if not schema or schema["level"] == "none" or (schema["level"] == "new" and old is not None):
        return
    checks = Draft4Validator(schema["rule"])
    if checks.is_valid(_own(made)):
        return
    if schema["level"] == "moderate" and old is not None and not checks.is_valid(_own(old)):
        return
    raise Refused(1620, schema["message"] or "schema validation failed")


def _own(document: Document) -> Document:
    """What a schema is held against: all but the attributes that the server makes."""
    return {name: value for name, value in document.items() if name not in ("_key", "_id", "_rev", "_from", "_to")}


def _outdated(old: Document, body: Mapping[str, Any], how: How) -> bool:
    if not how.version or how.version not in body or how.version not in old:
        return False
    return not body[how.version] > old[how.version]


def _merged(old: Any, patch: Any, how: How) -> Any:
    made = dict(old)
    for name, value in patch.items():
        if value is None and not how.keep_null:
            made.pop(name, None)
        elif how.merge and isinstance(value, dict) and isinstance(made.get(name), dict):
            made[name] = _merged(made[name], value, how)
        else:
            made[name] = _without_nulls(value) if not how.keep_null else value
    return made


def _without_nulls(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {name: _without_nulls(each) for name, each in value.items() if each is not None}
