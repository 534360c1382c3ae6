"""`delete_alias`: the second name of a collection; the collection stays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.operations.base import ALIAS_NAME, CLASS_NAME, Live, WeaviateOperation
from provision.stores.weaviate.migrate.rules import name_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld


class DeleteAlias(WeaviateOperation):
    """With `class`, only if it stands for that one; then it can be undone too."""

    name = "delete_alias"
    schema = mapping(
        ["alias"],
        **{
            "alias": ALIAS_NAME,
            "class": {**CLASS_NAME, "description": "the name of the collection that it stands for now"},
        },
    )

    def summary(self, body: Body) -> str:
        return f"delete alias {body['alias']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("DELETE", path_of("aliases", body["alias"]), None)]

    def probe(self, body: Body, live: Live) -> Fate:
        target = live.server.alias(body["alias"])
        if target is None:
            return Fate(Outcome.DONE, f"there is no alias {body['alias']}")
        outcome = Outcome.NOT_DONE if body.get("class", target) == target else Outcome.DIFFERENT
        return Fate(outcome, f"{body['alias']} stands for {target}")

    def inverse(self, body: Body) -> tuple[str, Body] | None:
        return ("create_alias", dict(body)) if "class" in body else None

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["alias"], "alias", "alias")
        if "class" in body:
            yield from name_problems(body["class"], "collection", "class")

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        alias = body["alias"]
        target = world.aliases.get(alias)
        if target is not None and body.get("class", target) != target:
            yield Problem("class", f"{alias} stands for {target} since {world.makers[alias]}", f"write {target}")
        else:
            world.aliases.pop(alias, None)
