"""`add_property`: one more property of a collection. The server has no way to remove one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.compare import by_name, differences
from provision.stores.weaviate.migrate.defaults import property_defaults
from provision.stores.weaviate.migrate.immutable import replacement
from provision.stores.weaviate.migrate.operations.base import CLASS_NAME, Live, Schema, WeaviateOperation
from provision.stores.weaviate.migrate.rules import name_problems, one_property_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld

_PROPERTY: Schema = {"$ref": "#/$defs/Property", "description": "a mapping, a property as in a class"}


class AddProperty(WeaviateOperation):
    name = "add_property"
    schema = mapping(
        ["class", "property"],
        **{"class": CLASS_NAME, "property": _PROPERTY},
    )

    def summary(self, body: Body) -> str:
        return f"property {body['class']}.{body['property']['name']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("POST", path_of("schema", body["class"], "properties"), body["property"])]

    def probe(self, body: Body, live: Live) -> Fate:
        stated = body["property"]
        subject = f"{body['class']}.{stated['name']}"
        there = by_name(live.collection(body["class"]).get("properties") or ())
        if stated["name"] not in there:
            return Fate(Outcome.NOT_DONE, f"{subject} is not there")
        for each in differences(stated, there[stated["name"]]):
            return Fate(Outcome.DIFFERENT, each.words(subject))
        return Fate(Outcome.DONE, f"{subject} is there")

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["class"], "collection", "class")
        yield from one_property_problems(body["property"], ("property",))

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        name, stated = body["class"], body["property"]
        yield from world.missing(name, "class")
        found = world.collections.get(name)
        if found is None:
            return
        there = by_name(found.get("properties") or ())
        whole = {**property_defaults(stated), **stated}
        like = next((each for each in there.values() if each["name"].casefold() == stated["name"].casefold()), None)
        for each in differences(whole, like) if like is not None else ():
            words = each.words(f"{name}.{like['name'] if like else ''} of {world.makers[name]}")
            why = "which cannot be changed: the values that are there are stored and indexed by it"
            yield Problem("property", f"{words}, {why}", replacement(name, world.alias_of(name)))
            return
        found["properties"] = list({**there, stated["name"]: whole}.values())
