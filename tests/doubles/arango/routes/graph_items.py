"""/_api/gharial/{graph}/vertex and /edge: the documents of a graph."""

from __future__ import annotations

from typing import Any

from tests.doubles.arango import documents, graphs
from tests.doubles.arango.collections import Collection
from tests.doubles.arango.documents import Written
from tests.doubles.arango.errors import Refused
from tests.doubles.arango.routes.writing import status_of, told
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_VERTICES = "/_api/gharial/{graph}/vertex/{collection}"
_EDGES = "/_api/gharial/{graph}/edge/{collection}"
_VERTEX, _EDGE = _VERTICES + "/{vertex}", _EDGES + "/{edge}"


def _part(call: Call) -> str:
    return call.request.path.split("/")[6]


def _key(call: Call) -> str:
    return call[_part(call)]


def _collection(call: Call, level: str) -> Collection:
    """Raises Refused (1924, 1926, 1939, 11)."""
    found = graphs.graph(call.database, call["graph"])
    edges = [each["collection"] for each in found["edgeDefinitions"]]
    names, missing = (graphs.vertices(found), 1926) if _part(call) == "vertex" else (edges, 1939)
    if call["collection"] not in names:
        raise Refused(missing)
    call.may(level, call["collection"])
    return call.database.collection(call["collection"])


@route(f"GET {_VERTEX}", f"GET {_EDGE}")
def read(call: Call) -> Answer:
    found = documents.read(_collection(call, "ro"), _key(call), call.revision)
    if str(call.request.headers.get("if-none-match", "")).strip('"') == found["_rev"]:
        return Answer(304, kind="text/plain", headers={"Etag": found["_rev"]})
    answer = said(200, **{_part(call): found})
    answer.headers["Etag"] = found["_rev"]
    return answer


@route(f"POST {_VERTICES}", f"POST {_EDGES}")
def insert(call: Call) -> Answer:
    collection = _collection(call, "rw")
    if _part(call) == "edge":
        _check_ends(call, call.fields)
    return _written(call, collection, documents.insert(collection, dict(call.fields)))


@route(f"PATCH {_VERTEX}", f"PATCH {_EDGE}")
def update(call: Call) -> Answer:
    collection = _collection(call, "rw")
    if _part(call) == "edge":
        _check_ends(call, {**documents.read(collection, _key(call)), **call.fields})
    return _written(call, collection, documents.update(collection, _key(call), dict(call.fields), call.how()))


@route(f"PUT {_VERTEX}", f"PUT {_EDGE}")
def replace(call: Call) -> Answer:
    collection = _collection(call, "rw")
    if _part(call) == "edge":
        _check_ends(call, call.fields)
    return _written(call, collection, documents.replace(collection, _key(call), dict(call.fields), call.how()))


@route(f"DELETE {_VERTEX}", f"DELETE {_EDGE}")
def remove(call: Call) -> Answer:
    collection = _collection(call, "rw")
    written = documents.remove(collection, _key(call), call.how())
    if _part(call) == "vertex" and written.old is not None:
        _remove_edges(call, written.old["_id"])
    old = {"old": written.old} if call.flag("returnOld") else {}
    return said(status_of(call, collection, True), removed=True, **old)


def _remove_edges(call: Call, vertex: str) -> None:
    """The edges at a vertex go with it, in every graph."""
    names = {each["collection"] for found in call.database.graphs.values() for each in found["edgeDefinitions"]}
    for name in names:
        edges = call.database.collections[name].documents
        for key in [key for key, edge in edges.items() if vertex in (edge["_from"], edge["_to"])]:
            del edges[key]


def _check_ends(call: Call, edge: Any) -> None:
    """Raises Refused (1233, 1947, 1202)."""
    known = graphs.vertices(graphs.graph(call.database, call["graph"]))
    for end in ("_from", "_to"):
        name, slash, key = str(edge.get(end) or "").partition("/")
        if not slash or not key:
            raise Refused(1233)
        if name not in known:
            raise Refused(1947)
        if key not in call.database.collection(name).documents:
            raise Refused(1202)


def _written(call: Call, collection: Collection, written: Written) -> Answer:
    status = status_of(call, collection, removing=False)
    changed = status == 201 and call.request.method != "POST"
    if changed and not (_part(call) == "edge" and call.request.method == "PUT"):
        status = 200
    shown = told(call, written)
    sides = {side: shown.pop(side) for side in ("old", "new") if side in shown}
    answer = said(status, **{_part(call): shown}, **sides)
    answer.headers["Etag"] = shown["_rev"]
    return answer
