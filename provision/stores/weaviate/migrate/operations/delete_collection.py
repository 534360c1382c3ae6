"""`delete_collection`: a collection with all its objects; refused while an alias stands for it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Earlier, Problem, Stopped, mapping
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.operations.base import CLASS_NAME, Live, WeaviateOperation
from provision.stores.weaviate.migrate.rules import name_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld


class DeleteCollection(WeaviateOperation):
    name = "delete_collection"
    schema = mapping(["class"], **{"class": CLASS_NAME})

    def summary(self, body: Body) -> str:
        return f"delete collection {body['class']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("DELETE", path_of("schema", body["class"]), None)]

    def probe(self, body: Body, live: Live) -> Fate:
        name = body["class"]
        if live.server.collection(name) is not None:
            return Fate(Outcome.NOT_DONE, f"collection {name} is there")
        target = live.server.alias(name)
        # The server answers 200 to a DELETE through an alias, and deletes nothing.
        if target is not None:
            raise Stopped(f"{name} is an alias of {target}: name the collection itself")
        return Fate(Outcome.DONE, f"collection {name} is not there")

    def run(self, body: Body, live: Live) -> None:
        name = body["class"]
        refuse_dangling(live, name)
        live.server.send("DELETE", path_of("schema", name))

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"collection {body['class']} is deleted with all its objects"

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["class"], "collection", "class")

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        name = body["class"]
        yield from world.missing(name, "class")
        for alias, target in world.aliases.items():
            if target == name:
                what = f"the alias {alias} of {world.makers[alias]} stands for {name}, and would stay behind"
                yield Problem("class", what, f"write `delete_alias: {{alias: {alias}}}` or a `move_alias` before it")
        world.remove(name)


def refuse_dangling(live: Live, name: str) -> None:
    """Raises Stopped while an alias stands for the collection.

    It would stay behind, and where auto-schema is on, the next write through it would make the collection again, from
    guesses.
    """
    aliases = live.aliases_of(name)
    if aliases:
        verb = "stands" if len(aliases) == 1 else "stand"
        raise Stopped(f"{' and '.join(aliases)} {verb} for {name}: `delete_alias` or `move_alias` comes first")
