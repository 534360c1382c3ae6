"""`move_alias`: an alias from one collection to another, at once for everyone who reads through it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.operations.base import ALIAS_NAME, CLASS_NAME, Live, WeaviateOperation
from provision.stores.weaviate.migrate.operations.create_alias import refuse_missing
from provision.stores.weaviate.migrate.rules import name_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld


class MoveAlias(WeaviateOperation):
    name = "move_alias"
    schema = mapping(
        ["alias", "from", "to"],
        **{
            "alias": ALIAS_NAME,
            "from": {**CLASS_NAME, "description": "the name of the collection that it stands for now"},
            "to": {**CLASS_NAME, "description": "the name of the collection that it is to stand for"},
        },
    )

    def summary(self, body: Body) -> str:
        return f"alias {body['alias']} from {body['from']} to {body['to']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("PUT", path_of("aliases", body["alias"]), {"class": body["to"]})]

    def probe(self, body: Body, live: Live) -> Fate:
        alias = body["alias"]
        target = live.server.alias(alias)
        if target is None:
            return Fate(Outcome.DIFFERENT, f"there is no alias {alias}")
        outcomes = {body["from"]: Outcome.NOT_DONE, body["to"]: Outcome.DONE}
        return Fate(outcomes.get(target, Outcome.DIFFERENT), f"{alias} stands for {target}")

    def run(self, body: Body, live: Live) -> None:
        refuse_missing(live, body["to"])
        for method, path, sent in self.requests(body):
            live.server.send(method, path, sent)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return self.name, {"alias": body["alias"], "from": body["to"], "to": body["from"]}

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["alias"], "alias", "alias")
        for key in ("from", "to"):
            yield from name_problems(body[key], "collection", key)
        if body["from"] == body["to"]:
            yield Problem("to", f"{body['alias']} would stay where it is", "name two collections")

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        alias = body["alias"]
        yield from world.missing(body["to"], "to")
        target = world.aliases.get(alias)
        if target is not None and target != body["from"]:
            yield Problem("from", f"{alias} stands for {target} since {world.makers[alias]}", f"write {target}")
        else:
            world.point(alias, body["to"])
