"""/_api/document and /_api/edges"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.doubles.arango import documents
from tests.doubles.arango.collections import Collection
from tests.doubles.arango.documents import How, Written
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routes.writing import status_of, written_many, written_one
from tests.doubles.arango.routing import Call, route
from tests.doubles.served.messages import Answer

_MANY = "/_api/document/{collection}"
_ONE = "/_api/document/{collection}/{key}"
_STATS = {
    "writesExecuted": 0,
    "writesIgnored": 0,
    "documentLookups": 0,
    "seeks": 0,
    "scannedFull": 0,
    "scannedIndex": 0,
    "searchParallelism": 1,
    "cursorsCreated": 0,
    "cursorsRearmed": 0,
    "cacheHits": 0,
    "cacheMisses": 0,
    "filtered": 0,
    "httpRequests": 0,
    "executionTime": 0.0001,
    "peakMemoryUsage": 0,
    "intermediateCommits": 0,
}


def _collection(call: Call, level: str) -> Collection:
    found = call.database.collection(call["collection"])
    call.may(level, found.name)
    return found


def _how(call: Call, body: Any, mode: str = "conflict") -> How:
    """The options, with the revision of the body where it is asked to count."""
    how = call.how(mode)
    if not how.revision and not call.flag("ignoreRevs", True) and isinstance(body, dict) and body.get("_rev"):
        return How(how.mode, how.keep_null, how.merge, body["_rev"], how.version)
    return how


@route(f"GET {_ONE}", f"HEAD {_ONE}")
def read(call: Call) -> Answer:
    found = documents.read(_collection(call, "ro"), call["key"], call.revision)
    etag = {"Etag": f'"{found["_rev"]}"'}
    if str(call.request.headers.get("if-none-match", "")).strip('"') == found["_rev"]:
        return Answer(304, kind="text/plain", headers=etag)
    return Answer(200, found, headers=etag)


@route(f"POST {_MANY}")
def insert(call: Call) -> Answer:
    collection = _collection(call, "rw")
    mode = call.request.query.get("overwriteMode") or ("replace" if call.flag("overwrite") else "conflict")
    if mode not in ("ignore", "replace", "update", "conflict"):
        raise Refused(10, f"invalid overwriteMode '{mode}'")
    return _each(call, collection, lambda body: documents.insert(collection, body, call.how(mode)))


@route(f"PUT {_MANY}")
def replace_many(call: Call) -> Answer:
    if call.flag("onlyget"):
        collection = _collection(call, "ro")
        return written_many(call, [_got(collection, each, call) for each in _listed(call)], 200)
    return _changed(call, documents.replace)


@route(f"PATCH {_MANY}")
def update_many(call: Call) -> Answer:
    return _changed(call, documents.update)


@route(f"DELETE {_MANY}")
def remove_many(call: Call) -> Answer:
    collection = _collection(call, "rw")

    def gone(each: Any) -> Written:
        return documents.remove(collection, documents.key_of(collection, each), _how(call, each))

    return _each(call, collection, gone)


@route(f"PUT {_ONE}")
def replace(call: Call) -> Answer:
    collection = _collection(call, "rw")
    how = _how(call, call.body)
    return written_one(call, collection, documents.replace(collection, call["key"], call.body, how))


@route(f"PATCH {_ONE}")
def update(call: Call) -> Answer:
    collection = _collection(call, "rw")
    how = _how(call, call.body)
    return written_one(call, collection, documents.update(collection, call["key"], call.body, how))


@route(f"DELETE {_ONE}")
def remove(call: Call) -> Answer:
    collection = _collection(call, "rw")
    return written_one(call, collection, documents.remove(collection, call["key"], call.how()))


@route("GET /_api/edges/{collection}")
def edges(call: Call) -> Answer:
    collection = call.database.edge_collection(call["collection"])
    call.may("ro", collection.name)
    vertex, direction = call.request.query.get("vertex", ""), call.request.query.get("direction", "any")
    if "/" not in vertex:
        raise Refused(1205)
    ends = {"in": ("_to",), "out": ("_from",), "any": ("_from", "_to")}.get(direction)
    if ends is None:
        raise Refused(400, "<direction> must be 'any', 'in' or 'out'")
    found = [each for each in collection.documents.values() if any(each[end] == vertex for end in ends)]
    stats = {**_STATS, "documentLookups": len(found), "scannedIndex": len(found)}
    return Answer(200, {"edges": found, "error": False, "code": 200, "stats": stats})


def _changed(call: Call, act: Callable[[Collection, str, Any, How], Written]) -> Answer:
    collection = _collection(call, "rw")

    def done(each: Any) -> Written:
        if not isinstance(each, dict):
            raise Refused(1227)
        return act(collection, documents.key_of(collection, each), each, _how(call, each))

    return _each(call, collection, done)


def _each(call: Call, collection: Collection, done: Callable[[Any], Written]) -> Answer:
    """One after the other; of many, those refused are told of at their place."""
    if not isinstance(call.body, list):
        return written_one(call, collection, done(call.body))
    found: list[Written | Refused] = []
    for each in call.body:
        try:
            found.append(done(each))
        except Refused as refused:
            found.append(refused)
    removing = call.request.method == "DELETE"
    return written_many(call, found, status_of(call, collection, removing))


def _listed(call: Call) -> list[Any]:
    if not isinstance(call.body, list):
        raise Refused(400, "expecting a JSON array in the request")
    return call.body


def _got(collection: Collection, selector: Any, call: Call) -> Any:
    try:
        revision = selector.get("_rev", "") if isinstance(selector, dict) and not call.flag("ignoreRevs", True) else ""
        return documents.read(collection, documents.key_of(collection, selector), revision)
    except Refused as refused:
        return refused
