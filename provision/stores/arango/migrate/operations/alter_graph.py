"""`alter_graph`: what a graph is made of from now on; definitions are added, replaced and removed one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provision.documents.operation import Body, Problem
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.operations.base import (
    ArangoOperation,
    Live,
    different,
    done,
    not_done,
    request,
    without,
)
from provision.stores.arango.migrate.operations.create_graph import (
    refuse_wrong_collections,
    shape,
    shape_differs,
    shape_problems,
    shaped,
)
from provision.stores.arango.migrate.world import ArangoWorld

_KEEP = {"dropCollections": "false"}


class AlterGraph(ArangoOperation):
    """The body is the whole of the new shape. No collection and no document is lost."""

    name = "alter_graph"
    schema = body_of("alter_graph")

    def summary(self, body: Body) -> str:
        edges = ", ".join(each["collection"] for each in body["edgeDefinitions"]) or "no edges"
        return f"make graph {body['name']} of {edges}"

    def text(self, body: Body) -> str:
        return request("PUT", _path(body) + "/edge/…", without(body, "name"))

    def probe(self, body: Body, live: Live) -> Fate:
        found = live.graph(body["name"])
        if found is None:
            return different(f"there is no graph {body['name']}")
        differs = shape_differs(f"graph {body['name']}", body, found)
        return not_done(differs) if differs else done(f"graph {body['name']} is so")

    def run(self, body: Body, live: Live) -> None:
        """Edges first: what they no longer name becomes an orphan, which is then listed or let go."""
        refuse_wrong_collections(body, live)
        self._edges(body, live)
        there = set((live.graph(body["name"]) or {}).get("orphanCollections", ()))
        wanted = set(body.get("orphanCollections", ()))
        for name in sorted(wanted - there):
            live.server.ask("POST", _path(body) + "/vertex", {"collection": name})
        for name in sorted(there - wanted):
            live.server.ask("DELETE", _path(body) + "/vertex" + path_of(name), query={"dropCollection": "false"})

    def problems(self, body: Body) -> Iterable[Problem]:
        return shape_problems(body)

    def effect(self, world: ArangoWorld, body: Body) -> Iterable[Problem]:
        return shaped(world, body)

    @staticmethod
    def _edges(body: Body, live: Live) -> None:
        there, wanted = (_by_collection(side) for side in (live.graph(body["name"]) or {}, body))
        path = _path(body) + "/edge"
        for name, definition in wanted.items():
            if name not in there:
                live.server.ask("POST", path, definition)
            elif there[name] != definition:
                live.server.ask("PUT", path + path_of(name), definition, query=_KEEP)
        for name in [each for each in there if each not in wanted]:
            live.server.ask("DELETE", path + path_of(name), query=_KEEP)


def _by_collection(body: Body) -> Mapping[str, Mapping[str, Any]]:
    return {each["collection"]: each for each in shape(body)["edgeDefinitions"]}


def _path(body: Body) -> str:
    return "/_api/gharial" + path_of(body["name"])
