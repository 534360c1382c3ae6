"""/_api/analyzer"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9_-]{0,253}")
_LANGUAGES = ("de", "en", "es", "fi", "fr", "it", "nl", "no", "pt", "ru", "sv", "zh")
_ALL = ["frequency", "position", "norm"]
_TEXT = {"case": "lower", "stopwords": [], "accent": False, "stemming": True}
BUILT_IN: dict[str, dict[str, Any]] = {
    "identity": {"name": "identity", "type": "identity", "properties": {}, "features": ["frequency", "norm"]},
} | {
    f"text_{each}": {
        "name": f"text_{each}",
        "type": "text",
        "properties": {"locale": each, **_TEXT, "stemming": each != "zh"},
        "features": _ALL,
    }
    for each in _LANGUAGES
}
# What is filled in, and what must be said, by type.
_FILLED: dict[str, dict[str, Any]] = {
    "identity": {},
    "delimiter": {},
    "multi_delimiter": {},
    "stem": {},
    "norm": {"accent": True, "case": "none"},
    "ngram": {"preserveOriginal": False, "startMarker": "", "endMarker": "", "streamType": "binary"},
    "text": {**_TEXT, "stopwords": []},
    "segmentation": {"case": "lower", "break": "alpha", "graphic": "graphic"},
    "stopwords": {"hex": False},
    "collation": {},
    "aql": {
        "batchSize": 10,
        "collapsePositions": False,
        "keepNull": True,
        "memoryLimit": 1048576,
        "returnType": "string",
    },
    "pipeline": {},
    "wildcard": {},
    "geojson": {"type": "shape"},
    "geopoint": {"latitude": [], "longitude": []},
    "minhash": {},
}
_REQUIRED = {"delimiter": "delimiter", "stem": "locale", "norm": "locale", "text": "locale", "ngram": "min"}
_REQUIRED |= {"collation": "locale", "stopwords": "stopwords", "pipeline": "pipeline", "aql": "queryString"}
_FEATURES = ("frequency", "norm", "position", "offset")


@route("GET /_api/analyzer")
def listed(call: Call) -> Answer:
    call.may("ro")
    own = [_told(call, each) for each in call.database.analyzers.values()]
    return said(200, result=[*BUILT_IN.values(), *own])


@route("GET /_api/analyzer/{analyzer-name}")
def one(call: Call) -> Answer:
    call.may("ro")
    name = _short(call)
    if name in BUILT_IN:
        return said(200, **BUILT_IN[name])
    return said(200, **_told(call, _found(call, name)))


@route("POST /_api/analyzer")
def create(call: Call) -> Answer:
    call.may("rw")
    name = str(call.fields.get("name", "")).rpartition("::")[2]
    if not _NAME.fullmatch(name) or name in BUILT_IN:
        raise Refused(10, f"invalid characters in analyzer name '{name}'")
    made = _made(name, call.fields)
    there = call.database.analyzers.get(name)
    if there is not None and there != made:
        raise Refused(10, "failed to create an analyzer with different properties and the same name")
    call.database.analyzers[name] = made
    return Answer(200 if there else 201, _told(call, made))


@route("DELETE /_api/analyzer/{analyzer-name}")
def drop(call: Call) -> Answer:
    call.may("rw")
    name = _short(call)
    if name in BUILT_IN:
        raise Refused(11)
    found = _found(call, name)
    used = any(f'"{name}"' in json.dumps(each.get("links", {})) for each in call.database.views.values())
    used = used or any(f'"{name}"' in json.dumps(each.indexes) for each in call.database.collections.values())
    if used and not call.flag("force"):
        raise Refused(1200, f"analyzer in-use while removing arangosearch analyzer '{name}'", status=409)
    del call.database.analyzers[name]
    return said(200, name=_told(call, found)["name"])


def _short(call: Call) -> str:
    return call["analyzer-name"].rpartition("::")[2]


def _found(call: Call, name: str) -> dict[str, Any]:
    if name not in call.database.analyzers:
        raise Refused(1202, f"unable to find analyzer '{name}'")
    return call.database.analyzers[name]


def _told(call: Call, found: dict[str, Any]) -> dict[str, Any]:
    return {**found, "name": f"{call.database.name}::{found['name']}"}


def _made(name: str, body: Any) -> dict[str, Any]:
    """Raises Refused (10)."""
    kind, given, features = body.get("type"), body.get("properties") or {}, body.get("features") or []
    if kind not in _FILLED:
        raise Refused(10, f"unknown analyzer type '{kind}'")
    if kind in _REQUIRED and _REQUIRED[kind] not in given:
        raise Refused(10, f"analyzer type '{kind}' needs the property '{_REQUIRED[kind]}'")
    if not set(features) <= set(_FEATURES) or ("position" in features and "frequency" not in features):
        raise Refused(10, "invalid analyzer features")
    return {"type": kind, "properties": {**_FILLED[kind], **given}, "features": list(features), "name": name}
