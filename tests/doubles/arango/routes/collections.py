"""/_api/collection"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tests.doubles.arango.collections import Collection
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.names import check_collection
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_AT = "/_api/collection/{collection-name}"


def _named(call: Call, level: str = "ro") -> Collection:
    found = call.database.collection(call["collection-name"])
    call.may(level, found.name)
    return found


@route("GET /_api/collection")
def listed(call: Call) -> Answer:
    call.may("ro")
    found = call.database.collections.values()
    return said(200, result=[each.brief() for each in found if not (each.system and call.flag("excludeSystem"))])


@route("POST /_api/collection")
def create(call: Call) -> Answer:
    call.may("rw")
    return said(200, **call.database.create_collection(call.fields).described())


@route(f"GET {_AT}")
def brief(call: Call) -> Answer:
    return said(200, **_named(call).brief())


@route(f"DELETE {_AT}")
def drop(call: Call) -> Answer:
    call.may("rw")
    found = _named(call, "rw")
    if found.system and not call.flag("isSystem"):
        raise Refused(11)
    for graph in call.database.graphs.values():
        ends = [name for each in graph["edgeDefinitions"] for name in (each["collection"], *each["from"], *each["to"])]
        if found.name in (*ends, *graph["orphanCollections"]):
            raise Refused(1942)
    del call.database.collections[found.name]
    for view in call.database.views.values():
        view.get("links", {}).pop(found.name, None)
    return said(200, id=found.id)


@route(f"GET {_AT}/properties")
def properties(call: Call) -> Answer:
    return said(200, **_named(call).described())


@route(f"PUT {_AT}/properties")
def change(call: Call) -> Answer:
    call.may("rw")
    found = _named(call, "rw")
    found.change(call.fields)
    return said(200, **found.described())


@route(f"PUT {_AT}/rename")
def rename(call: Call) -> Answer:
    call.may("rw")
    found, name = _named(call, "rw"), check_collection(call.fields.get("name"))
    if found.system:
        raise Refused(11)
    if name in call.database.collections or name in call.database.views:
        raise Refused(1207)
    call.database.collections[name] = call.database.collections.pop(found.name)
    found.rename(name)
    return said(200, **found.brief())


@route(f"PUT {_AT}/truncate")
def truncate(call: Call) -> Answer:
    found = _named(call, "rw")
    found.documents.clear()
    return said(200, **found.brief())


@route(f"GET {_AT}/count")
def count(call: Call) -> Answer:
    found = _named(call)
    return said(200, **found.described(), count=len(found.documents))


@route(f"GET {_AT}/figures")
def figures(call: Call) -> Answer:
    found = _named(call)
    documents = len(found.documents)
    shown: dict[str, Any] = {
        "indexes": {"count": len(found.indexes), "size": 1024 * len(found.indexes)},
        "documentsSize": sum(len(json.dumps(each)) for each in found.documents.values()),
        "cacheInUse": False,
        "cacheSize": 0,
        "cacheUsage": 0,
    }
    if call.flag("details"):
        indexes = [
            {"type": each["type"], "id": int(each["id"].split("/")[1]), "count": documents} for each in found.indexes
        ]
        shown["engine"] = {"documents": documents, "indexes": indexes}
    return said(200, figures=shown, **found.described(), count=documents)


@route(f"GET {_AT}/revision")
def revision(call: Call) -> Answer:
    found = _named(call)
    return said(200, **found.described(), revision=_last_revision(found))


@route(f"GET {_AT}/checksum")
def checksum(call: Call) -> Answer:
    found = _named(call)
    revisions, data = call.flag("withRevisions"), call.flag("withData")
    hidden = {"_id"} | (set() if revisions else {"_rev"})
    total = 0
    for each in found.documents.values():
        kept = {name: value for name, value in each.items() if name not in hidden} if data else each["_key"]
        text = json.dumps([kept, each["_rev"] if revisions else ""], sort_keys=True)
        total ^= int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return said(200, **found.brief(), revision=_last_revision(found), checksum=str(total))


@route(f"PUT {_AT}/loadIndexesIntoMemory", f"PUT {_AT}/recalculateCount", f"PUT {_AT}/compact")
def nothing_to_do(call: Call) -> Answer:
    found = _named(call, "rw")
    if call.request.path.endswith("/compact"):
        return said(200, **found.brief())
    counted = {"count": len(found.documents)} if call.request.path.endswith("Count") else {}
    return said(200, result=True, **counted)


@route(f"PUT {_AT}/load", f"PUT {_AT}/unload")
def load(call: Call) -> Answer:
    found = _named(call)
    counted = {"count": len(found.documents)} if call.request.path.endswith("/load") else {}
    return said(200, **counted, **found.brief())


@route(f"PUT {_AT}/responsibleShard")
def responsible_shard(call: Call) -> Answer:
    """A single server has no shards."""
    del call
    raise Refused(1470)


def _last_revision(collection: Collection) -> str:
    return max((each["_rev"] for each in collection.documents.values()), default="54")
