"""`create_graph`: a named graph over collections that are there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, Stopped
from provision.model.statements import Fate
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.compare import difference
from provision.stores.arango.migrate.operations.base import (
    ArangoOperation,
    Live,
    judged,
    not_done,
    request,
)
from provision.stores.arango.migrate.world import DOCUMENT, EDGE, KINDS, ArangoWorld


class CreateGraph(ArangoOperation):
    """The server would make what is missing, as it thinks best: a collection without schema. So it is looked for."""

    name = "create_graph"
    makes = "graph"
    schema = body_of("create_graph")

    def summary(self, body: Body) -> str:
        edges = ", ".join(each["collection"] for each in body.get("edgeDefinitions", ()))
        return f"graph {body['name']}" + (f" over {edges}" if edges else "")

    def text(self, body: Body) -> str:
        return request("POST", "/_api/gharial", body)

    def probe(self, body: Body, live: Live) -> Fate:
        found = live.graph(body["name"])
        if found is None:
            return not_done(f"there is no graph {body['name']}")
        subject = f"graph {body['name']}"
        differs = shape_differs(subject, body, found)
        stated = {key: value for key, value in body.items() if key in found and key not in _SHAPE}
        return judged(differs or difference(subject, stated, found), subject)

    def run(self, body: Body, live: Live) -> None:
        refuse_wrong_collections(body, live)
        live.server.ask("POST", "/_api/gharial", body, query={"waitForSync": "true"})

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_graph", {"name": body["name"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        fixed, others = ({key: each[key] for key in each if key not in _SHAPE} for each in (before, after))
        return (("alter_graph", {"name": after["name"], **shape(after)}),) if fixed == others else ()

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from super().problems(body)
        yield from shape_problems(body)

    def effect(self, world: ArangoWorld, body: Body) -> Iterable[Problem]:
        return shaped(world, body)


_SHAPE = ("edgeDefinitions", "orphanCollections")


def shape(body: Body) -> dict[str, Any]:
    """What a graph is made of, in one order: the server keeps none."""
    listed = sorted(body.get("edgeDefinitions", ()), key=lambda each: str(each["collection"]))
    return {
        "edgeDefinitions": [
            {"collection": each["collection"], "from": sorted(each["from"]), "to": sorted(each["to"])}
            for each in listed
        ],
        "orphanCollections": sorted(body.get("orphanCollections", ())),
    }


def shape_differs(subject: str, wanted: Body, found: Body) -> str:
    return difference(subject, shape(wanted), shape(found))


def roles(body: Body) -> list[tuple[str, int, str]]:
    """Each collection that a graph names, the type that it must have, and the key of the body that names it."""
    found = [(name, DOCUMENT, "orphanCollections") for name in body.get("orphanCollections", ())]
    for each in body.get("edgeDefinitions", ()):
        found.append((each["collection"], EDGE, "edgeDefinitions"))
        found += [(name, DOCUMENT, "edgeDefinitions") for name in (*each["from"], *each["to"])]
    return list(dict.fromkeys(found))


def wrong_role(graph: str, name: str, needed: int) -> str:
    """The sentence for a collection of the other type."""
    part = "edges" if needed == EDGE else "nodes"
    other = DOCUMENT if needed == EDGE else EDGE
    return f"graph {graph} takes its {part} from {name}, which is {KINDS[other]}"


def refuse_wrong_collections(body: Body, live: Live) -> None:
    """Raises Stopped for a collection that is not there or of the other type."""
    for name, needed, _key in roles(body):
        found: Mapping[str, Any] | None = live.collection(name)
        if found is None:
            raise Stopped(f"graph {body['name']} is made of collection {name}, which is not there")
        if found["type"] != needed:
            raise Stopped(wrong_role(body["name"], name, needed))


def shape_problems(body: Body) -> Iterable[Problem]:
    """An edge collection defined twice, and an orphan that is none: the server would drop it from the list."""
    edges = [each["collection"] for each in body.get("edgeDefinitions", ())]
    for name in sorted({each for each in edges if edges.count(each) > 1}):
        what = f"edge collection {name} has two definitions in graph {body['name']}"
        yield Problem("edgeDefinitions", what, "join them: list every collection under from and to")
    nodes = {name for each in body.get("edgeDefinitions", ()) for name in (*each["from"], *each["to"])}
    for name in sorted(nodes & set(body.get("orphanCollections", ()))):
        what = f"{name} is no orphan of graph {body['name']}: an edge definition names it"
        yield Problem("orphanCollections", what, "take it out of the list")


def shaped(world: ArangoWorld, body: Body) -> Iterator[Problem]:
    """Give the graph this shape.

    Refuses collections of the other type, and such as nobody makes: the server would make those in its own way.
    """
    graph = body["name"]
    for name, needed, key in roles(body):
        kind, edges = world.type_of(name), needed == EDGE
        if kind is None:
            what = f"graph {graph} is made of collection {name}, which no file makes"
            yield Problem(
                key, what, f"write create_collection for it {'with type 3, ' if edges else ''}before the graph"
            )
        elif kind != needed:
            fix = "give it type 3 in its create_collection" if edges else "name a collection of type 2"
            yield Problem(key, wrong_role(graph, name, needed), fix)
    world.graphs[graph] = body
