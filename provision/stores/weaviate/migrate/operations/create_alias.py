"""`create_alias`: a second name under which applications reach a collection."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, Stopped, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.migrate.operations.base import ALIAS_NAME, CLASS_NAME, Live, WeaviateOperation
from provision.stores.weaviate.migrate.rules import name_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld


class CreateAlias(WeaviateOperation):
    name = "create_alias"
    schema = mapping(["alias", "class"], **{"alias": ALIAS_NAME, "class": CLASS_NAME})

    def summary(self, body: Body) -> str:
        return f"alias {body['alias']} of {body['class']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("POST", "/aliases", body)]

    def probe(self, body: Body, live: Live) -> Fate:
        alias, wanted = body["alias"], body["class"]
        target = live.server.alias(alias)
        if target is not None:
            outcome = Outcome.DONE if target == wanted else Outcome.DIFFERENT
            return Fate(outcome, f"{alias} stands for {target}")
        if live.server.collection(alias) is not None:
            return Fate(Outcome.DIFFERENT, f"{alias} is a collection")
        return Fate(Outcome.NOT_DONE, f"there is no alias {alias}")

    def run(self, body: Body, live: Live) -> None:
        # The server would take an alias of an alias for an alias of nothing.
        refuse_missing(live, body["class"])
        live.server.send("POST", "/aliases", body)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "delete_alias", {"alias": body["alias"], "class": body["class"]}

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["alias"], "alias", "alias")
        yield from name_problems(body["class"], "collection", "class")

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        alias, name = body["alias"], body["class"]
        yield from world.missing(name, "class")
        if alias in world.collections:
            yield Problem("alias", f"{alias} is a collection, made in {world.makers[alias]}", "choose another name")
        elif world.aliases.get(alias, name) != name:
            target = world.aliases[alias]
            fix = f"write `move_alias: {{alias: {alias}, from: {target}, to: {name}}}`"
            yield Problem("alias", f"{alias} stands for {target} since {world.makers[alias]}", fix)
        else:
            world.point(alias, name)


def refuse_missing(live: Live, name: str) -> None:
    """Raises Stopped when there is no collection of that name."""
    if live.server.collection(name) is None:
        raise Stopped(f"the collection {name} is not there{live.behind(name)}")
