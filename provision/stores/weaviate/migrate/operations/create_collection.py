"""`create_collection`: a class as the vendor's JSON says it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Problem
from provision.documents.refused import Refused
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.altered import altered
from provision.stores.weaviate.migrate.compare import differences
from provision.stores.weaviate.migrate.defaults import filled, fixed
from provision.stores.weaviate.migrate.operations.base import Live, WeaviateOperation
from provision.stores.weaviate.migrate.rules import class_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld

_SCHEMA = {"$ref": "#/$defs/Class", "description": "a mapping, the class as the vendor's JSON says it"}


class CreateCollection(WeaviateOperation):
    name = "create_collection"
    schema = _SCHEMA

    def summary(self, body: Body) -> str:
        return f"collection {body['class']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("POST", "/schema", body)]

    def probe(self, body: Body, live: Live) -> Fate:
        name = body["class"]
        found = live.server.collection(name)
        if found is None:
            behind = live.behind(name)
            outcome = Outcome.DIFFERENT if behind else Outcome.NOT_DONE
            return Fate(outcome, f"the collection {name} is not there{behind}")
        for each in differences(fixed(body), found):
            return Fate(Outcome.DIFFERENT, each.words(f"collection {name}"))
        if not indexed(live, name):
            return Fate(Outcome.NOT_DONE, f"{name} is in the schema without an index, as a refused creation leaves it")
        return Fate(Outcome.DONE, f"collection {name} is there")

    def run(self, body: Body, live: Live) -> None:
        name = body["class"]
        if live.server.collection(name) is not None:
            remove_remains(live, name)
        try:
            live.server.send("POST", "/schema", body)
        except Refused:
            # The server can refuse after it wrote the class down; the next try would then be refused as a duplicate.
            if live.server.collection(name) is not None:
                remove_remains(live, name)
            raise
        _refuse_other(body, live)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "delete_collection", {"class": body["class"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return altered(before, after)

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from class_problems(body)

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        name = body["class"]
        if name in world.aliases:
            yield Problem("class", f"{name} is an alias, made in {world.makers[name]}", "choose another name")
            return
        for other in world.collections:
            if other != name and other.casefold() == name.casefold():
                what = (
                    f"{name} differs from {other} of {world.makers[other]} in case alone, the server takes one of them"
                )
                yield Problem("class", what, "choose another name")
                return
        found = world.collections.get(name)
        for each in differences(filled(body), found) if found is not None else ():
            yield Problem("class", each.words(world.of(name)), world.way(each, name))
            return
        world.put(body)


def indexed(live: Live, name: str) -> bool:
    """Whether the collection has an index; without one it holds nothing and takes nothing."""
    return live.server.indexed(name)


def _refuse_other(body: Body, live: Live) -> None:
    """Raises Refused when the server made something else without saying so, which is taken away again while empty."""
    name = body["class"]
    found = live.server.collection(name)
    for each in differences(body, found or {}):
        tenanted = body.get("multiTenancyConfig", {}).get("enabled")
        if found is not None and not (live.server.tenants(name) if tenanted else live.server.count(name)):
            live.server.send("DELETE", path_of("schema", name))
        raise Refused(f"the server accepted it and did not do it: {each.words(f'collection {name}')}")


def remove_remains(live: Live, name: str) -> None:
    """Take a collection without an index out of the schema; one that has an index is another's, and stays."""
    if not indexed(live, name):
        live.server.send("DELETE", path_of("schema", name))
