"""/_api/view: arangosearch and search-alias."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tests.doubles.arango.errors import Refused
from tests.doubles.arango.names import check_collection
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

View = dict[str, Any]
_AT = "/_api/view/{view-name}"
_CHANGEABLE: View = {
    "cleanupIntervalStep": 2,
    "commitIntervalMsec": 1000,
    "consolidationIntervalMsec": 5000,
    "consolidationPolicy": {
        "type": "tier",
        "segmentsBytesMax": 8589934592,
        "maxSkewThreshold": 0.4,
        "minDeletionRatio": 0.5,
    },
}
_FIXED: View = {
    "optimizeTopK": [],
    "primarySort": [],
    "primarySortCompression": "lz4",
    "storedValues": [],
    "writebufferActive": 0,
    "writebufferIdle": 64,
    "writebufferSizeMax": 33554432,
}
_LINK: View = {
    "analyzers": ["identity"],
    "fields": {},
    "includeAllFields": False,
    "storeValues": "none",
    "trackListPositions": False,
}
_BRIEF = ("globallyUniqueId", "id", "name", "type")


def _brief(view: View) -> View:
    return {name: view[name] for name in _BRIEF}


@route("GET /_api/view")
def listed(call: Call) -> Answer:
    call.may("ro")
    return said(200, result=[_brief(each) for each in call.database.views.values()])


@route("POST /_api/view")
def create(call: Call) -> Answer:
    call.may("rw")
    name, kind = check_collection(call.fields.get("name")), call.fields.get("type")
    if name in call.database.views or name in call.database.collections:
        raise Refused(1207)
    number = call.database.ticks.id()
    made: View = {"globallyUniqueId": f"h5C3DDE5391BF/{number}", "id": number, "name": name, "type": kind}
    if kind == "arangosearch":
        made |= copy.deepcopy(_CHANGEABLE | _FIXED)
        made |= {each: call.fields[each] for each in (*_CHANGEABLE, *_FIXED) if each in call.fields}
        made["primarySort"] = [_sorted(each) for each in call.fields.get("primarySort", [])]
        made["links"] = _links(call, call.fields.get("links") or {}, {})
    elif kind == "search-alias":
        made["indexes"] = _aliased(call, call.fields.get("indexes") or [], [])
    else:
        raise Refused(10, "invalid view type")
    call.database.views[name] = made
    return Answer(201, made)


@route(f"GET {_AT}")
def one(call: Call) -> Answer:
    call.may("ro")
    return said(200, **_brief(call.database.view(call["view-name"])))


@route(f"GET {_AT}/properties")
def properties(call: Call) -> Answer:
    call.may("ro")
    return said(200, **call.database.view(call["view-name"]))


@route(f"PATCH {_AT}/properties", f"PUT {_AT}/properties")
def change(call: Call) -> Answer:
    call.may("rw")
    found, whole = call.database.view(call["view-name"]), call.request.method == "PUT"
    if found["type"] == "search-alias":
        there = [] if whole else found["indexes"]
        found["indexes"] = _aliased(call, call.fields.get("indexes") or [], there)
        return Answer(200, found)
    if whole:
        found |= copy.deepcopy(_CHANGEABLE)
    links = _links(call, call.fields.get("links") or {}, {} if whole else found["links"])
    found |= {each: call.fields[each] for each in _CHANGEABLE if each in call.fields}
    found["links"] = links
    return Answer(200, found)


@route(f"PUT {_AT}/rename")
def rename(call: Call) -> Answer:
    call.may("rw")
    found, name = call.database.view(call["view-name"]), check_collection(call.fields.get("name"))
    if name in call.database.views or name in call.database.collections:
        raise Refused(1207)
    del call.database.views[found["name"]]
    found["name"] = name
    call.database.views[name] = found
    return Answer(200, found)


@route(f"DELETE {_AT}")
def drop(call: Call) -> Answer:
    call.may("rw")
    del call.database.views[call.database.view(call["view-name"])["name"]]
    return said(200, result=True)


def _sorted(given: Mapping[str, Any]) -> View:
    return {"field": given["field"], "asc": given.get("direction", "asc") == "asc"}


def _links(call: Call, given: Mapping[str, Any], there: Mapping[str, Any]) -> View:
    """The links after a change; null takes one away. Raises Refused (1203, 10)."""
    made = dict(there)
    for name, link in given.items():
        if link is None:
            made.pop(name, None)
            continue
        call.database.collection(name)
        for analyzer in _analyzers(link):
            if analyzer not in call.database.analyzers and analyzer not in built_in():
                raise Refused(10, f"Invalid analyzer definition: unknown analyzer '{analyzer}'")
        made[name] = {**copy.deepcopy(_LINK), **link}
    return made


def _analyzers(link: Mapping[str, Any]) -> list[str]:
    found = [str(each).rpartition("::")[2] for each in link.get("analyzers", [])]
    return found + [name for each in (link.get("fields") or {}).values() for name in _analyzers(each)]


def _aliased(call: Call, given: list[Mapping[str, Any]], there: list[View]) -> list[View]:
    """Raises Refused (1203, 1212)."""
    made = list(there)
    for each in given:
        named = {"collection": each["collection"], "index": each["index"]}
        if each.get("operation") == "del":
            made = [other for other in made if other != named]
        elif named not in made:
            if call.database.collection(named["collection"]).index(named["index"])["type"] != "inverted":
                raise Refused(10, f"index '{named['index']}' is no inverted index")
            made.append(named)
    return made


def built_in() -> frozenset[str]:
    from tests.doubles.arango.routes.analyzers import BUILT_IN

    return frozenset(BUILT_IN)
