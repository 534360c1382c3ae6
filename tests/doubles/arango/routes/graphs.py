"""/_api/gharial: the graphs and their definitions."""

from __future__ import annotations

from tests.doubles.arango import graphs
from tests.doubles.arango.graphs import Graph
from tests.doubles.arango.routing import Call, route, said
from tests.doubles.served.messages import Answer

_GRAPH = "/_api/gharial/{graph}"


def _told(call: Call, found: Graph, status: int = 0) -> Answer:
    made = status or (201 if call.flag("waitForSync") else 202)
    answer = said(made, graph=graphs.described(found))
    answer.headers["Etag"] = found["_rev"]
    return answer


def _found(call: Call, level: str = "ro") -> Graph:
    call.may(level)
    return graphs.graph(call.database, call["graph"])


@route("GET /_api/gharial")
def listed(call: Call) -> Answer:
    call.may("ro")
    return said(200, graphs=[graphs.described(each) for each in call.database.graphs.values()])


@route("POST /_api/gharial")
def create(call: Call) -> Answer:
    call.may("rw")
    return _told(call, graphs.create(call.database, call.fields))


@route(f"GET {_GRAPH}")
def one(call: Call) -> Answer:
    return _told(call, _found(call), 200)


@route(f"DELETE {_GRAPH}")
def drop(call: Call) -> Answer:
    graphs.drop(call.database, _found(call, "rw"), call.flag("dropCollections"))
    return said(202, removed=True)


@route(f"GET {_GRAPH}/vertex")
def vertex_collections(call: Call) -> Answer:
    return said(200, collections=graphs.vertices(_found(call)))


@route(f"POST {_GRAPH}/vertex")
def add_vertex_collection(call: Call) -> Answer:
    return _told(call, graphs.add_orphan(call.database, _found(call, "rw"), call.fields["collection"]))


@route(f"DELETE {_GRAPH}/vertex/{{collection}}")
def remove_vertex_collection(call: Call) -> Answer:
    dropping = call.flag("dropCollection")
    changed = graphs.remove_orphan(call.database, _found(call, "rw"), call["collection"], dropping)
    return _told(call, changed, 200 if call.flag("waitForSync") else 202)


@route(f"GET {_GRAPH}/edge")
def edge_collections(call: Call) -> Answer:
    return said(200, collections=sorted(each["collection"] for each in _found(call)["edgeDefinitions"]))


@route(f"POST {_GRAPH}/edge")
def add_definition(call: Call) -> Answer:
    return _told(call, graphs.add_definition(call.database, _found(call, "rw"), call.fields))


@route(f"PUT {_GRAPH}/edge/{{collection}}")
def replace_definition(call: Call) -> Answer:
    found = _found(call, "rw")
    return _told(call, graphs.replace_definition(call.database, found, call["collection"], call.fields))


@route(f"DELETE {_GRAPH}/edge/{{collection}}")
def remove_definition(call: Call) -> Answer:
    dropping = call.flag("dropCollections")
    found = _found(call, "rw")
    return _told(call, graphs.remove_definition(call.database, found, call["collection"], dropping))
