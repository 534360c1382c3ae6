"""`drop_collection`: a collection and every document in it."""

from __future__ import annotations

from collections.abc import Iterator

from provision.documents.operation import Body, Earlier, Problem, Stopped, mapping
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.operations.base import NAME, ArangoOperation, Live, done, not_done, request, uses
from provision.stores.arango.migrate.world import ArangoWorld
from provision.stores.arango.server import NO_COLLECTION


class DropCollection(ArangoOperation):
    name = "drop_collection"
    schema = mapping(["name"], name=NAME)

    def summary(self, body: Body) -> str:
        return f"drop collection {body['name']}"

    def text(self, body: Body) -> str:
        return request("DELETE", _path(body))

    def probe(self, body: Body, live: Live) -> Fate:
        if live.collection(body["name"]) is None:
            return done(f"there is no collection {body['name']}")
        return not_done(f"collection {body['name']} is there")

    def run(self, body: Body, live: Live) -> None:
        for graph in live.graphs():
            # A server before 3.12 would drop it all the same and leave the graph with a hole.
            if uses(graph, body["name"]):
                raise Stopped(f"graph {graph['name']} is made of collection {body['name']}: drop or alter it first")
        live.server.ask("DELETE", _path(body), missing=(NO_COLLECTION,))

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"every document of collection {body['name']} is lost"

    def effect(self, world: ArangoWorld, body: Body) -> Iterator[Problem]:
        name = body["name"]
        for graph in sorted(graph for graph, shape in world.graphs.items() if uses(shape, name)):
            what = f"graph {graph} is made of collection {name}"
            yield Problem("name", what, "drop or alter the graph before it")
        world.collections.pop(name, None)
        for key in [key for key in world.indexes if key[0] == name]:
            del world.indexes[key]


def _path(body: Body) -> str:
    return "/_api/collection" + path_of(body["name"])
