"""`drop_graph`: the definition of a graph; its collections and documents stay."""

from __future__ import annotations

from collections.abc import Iterable

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.operations.base import NAME, ArangoOperation, Live, done, not_done, request
from provision.stores.arango.migrate.world import ArangoWorld
from provision.stores.arango.server import NO_GRAPH


class DropGraph(ArangoOperation):
    name = "drop_graph"
    schema = mapping(["name"], name=NAME)

    def summary(self, body: Body) -> str:
        return f"drop graph {body['name']}"

    def text(self, body: Body) -> str:
        return request("DELETE", "/_api/gharial" + path_of(body["name"]))

    def probe(self, body: Body, live: Live) -> Fate:
        there = live.graph(body["name"]) is not None
        return not_done(f"graph {body['name']} is there") if there else done(f"there is no graph {body['name']}")

    def run(self, body: Body, live: Live) -> None:
        query = {"dropCollections": "false"}
        live.server.ask("DELETE", "/_api/gharial" + path_of(body["name"]), query=query, missing=(NO_GRAPH,))

    def effect(self, world: ArangoWorld, body: Body) -> Iterable[Problem]:
        world.graphs.pop(body["name"], None)
        return ()
