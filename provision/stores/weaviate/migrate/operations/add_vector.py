"""`add_vector`: one or more named vectors of a collection that is there. The server has no way to remove one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.compare import differences
from provision.stores.weaviate.migrate.defaults import vector_defaults
from provision.stores.weaviate.migrate.operations.base import CLASS_NAME, Live, WeaviateOperation
from provision.stores.weaviate.migrate.operations.update_collection import merged
from provision.stores.weaviate.migrate.rules import name_problems, vector_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld


class AddVector(WeaviateOperation):
    name = "add_vector"
    schema = mapping(
        ["class", "vectorConfig"],
        **{
            "class": CLASS_NAME,
            "vectorConfig": {
                "type": "object",
                "minProperties": 1,
                "description": "a mapping of the new vectors by their names, as in a class",
                "additionalProperties": {"$ref": "#/$defs/VectorConfig"},
            },
        },
    )

    def summary(self, body: Body) -> str:
        return f"vector {', '.join(body['vectorConfig'])} of {body['class']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("PUT", path_of("schema", body["class"]), {"vectorConfig": body["vectorConfig"]})]

    def probe(self, body: Body, live: Live) -> Fate:
        name = body["class"]
        there = live.collection(name).get("vectorConfig") or {}
        missing = [each for each in body["vectorConfig"] if each not in there]
        present = {each: stated for each, stated in body["vectorConfig"].items() if each in there}
        for each in differences({"vectorConfig": present}, {"vectorConfig": there}):
            return Fate(Outcome.DIFFERENT, each.words(f"collection {name}"))
        if missing:
            return Fate(Outcome.NOT_DONE, f"{name} has no vector {missing[0]}")
        return Fate(Outcome.DONE, f"{name} has the vector {', '.join(present)}")

    def run(self, body: Body, live: Live) -> None:
        name = body["class"]
        live.server.send("PUT", path_of("schema", name), merged(live.collection(name), body))

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["class"], "collection", "class")
        yield from vector_problems(body["vectorConfig"], ("vectorConfig",))

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        name = body["class"]
        yield from world.missing(name, "class")
        found = world.collections.get(name)
        if found is None:
            return
        there = found.get("vectorConfig") or {}
        stated = {vector: {**vector_defaults(each), **each} for vector, each in body["vectorConfig"].items()}
        present = {vector: each for vector, each in body["vectorConfig"].items() if vector in there}
        for each in differences({"vectorConfig": present}, {"vectorConfig": there}):
            yield Problem("vectorConfig", each.words(world.of(name)), world.way(each, name))
            return
        found["vectorConfig"] = {**stated, **there}
