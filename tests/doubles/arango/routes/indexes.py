"""/_api/index"""

from __future__ import annotations

from tests.doubles.arango import indexes
from tests.doubles.arango.collections import Collection
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer


def _collection(call: Call, level: str) -> Collection:
    named = call.variables.get("collection") or call.request.query.get("collection", "")
    found = call.database.collection(named)
    call.may(level, found.name)
    return found


@route("GET /_api/index")
def listed(call: Call) -> Answer:
    found = [{**each} for each in _collection(call, "ro").indexes]
    for each in found if call.flag("withStats") else ():
        each["figures"] = {"memory": 1024, "cacheInUse": False, "cacheSize": 0, "cacheUsage": 0}
    return said(200, indexes=found, identifiers={each["id"]: each for each in found})


@route("POST /_api/index")
def create(call: Call) -> Answer:
    call.may("rw")
    made, new = indexes.create(_collection(call, "rw"), call.fields)
    status = 201 if new else 200
    return Answer(status, {**made, "isNewlyCreated": new, "code": status, "error": False})


@route("GET /_api/index/{collection}/{index-id}")
def one(call: Call) -> Answer:
    found = _collection(call, "ro").index(call["index-id"])
    return Answer(200, {**found, "code": 200, "error": False})


@route("DELETE /_api/index/{collection}/{index-id}")
def drop(call: Call) -> Answer:
    call.may("rw")
    dropped = indexes.drop(_collection(call, "rw"), call["index-id"])
    return Answer(200, {"id": dropped["id"], "error": False, "code": 200})


@route("GET /_api/index/{index-id}", "DELETE /_api/index/{index-id}")
def without_collection(call: Call) -> Answer:
    raise Refused(1214 if "/" not in call["index-id"] else 1212)
