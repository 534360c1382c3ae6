"""`update_collection`: the keys of a class that are stated, written over those that are there; no other is touched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, Problem
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.compare import Difference, by_name, differences
from provision.stores.weaviate.migrate.immutable import reason, way_round
from provision.stores.weaviate.migrate.operations.base import Live, WeaviateOperation, fate
from provision.stores.weaviate.migrate.rules import name_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld

# At most one of each sort: the server takes a new one in place of the old.
_SINGLE_MODULES = ("generative-", "reranker-")

_SCHEMA = {
    "$ref": "#/$defs/ClassUpdate",
    "minProperties": 2,
    "description": "a mapping with `class` and the keys that are to be changed",
}


class UpdateCollection(WeaviateOperation):
    name = "update_collection"
    schema = _SCHEMA

    def summary(self, body: Body) -> str:
        return f"collection {body['class']}: {', '.join(key for key in body if key != 'class')}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [("PUT", path_of("schema", body["class"]), {key: each for key, each in body.items() if key != "class"})]

    def probe(self, body: Body, live: Live) -> Fate:
        name = body["class"]
        found = live.collection(name)
        listed = list(differences(body, found))
        for each in listed:
            why = reason(each, found)
            if why is not None:
                words = each.words(f"collection {name}")
                alias = next(iter(live.aliases_of(name)), "")
                return Fate(Outcome.DIFFERENT, f"{words}; {why}: {way_round(each, name, alias)}")
        return fate(listed, f"collection {name}")

    def run(self, body: Body, live: Live) -> None:
        name = body["class"]
        live.server.send("PUT", path_of("schema", name), merged(live.collection(name), body))

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["class"], "collection", "class")

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        name = body["class"]
        yield from world.missing(name, "class")
        found = world.collections.get(name)
        if found is None:
            return
        refused = False
        for each in differences(body, found):
            why = reason(each, found)
            if why is not None:
                refused = True
                words = f"{each.words(world.of(name))}, which cannot be changed: {why}"
                yield Problem(_key(each, body), words, way_round(each, name, world.alias_of(name)))
        if not refused:
            world.collections[name] = merged(found, body)


def merged(found: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """The class with what is stated in its place; properties are matched by their names."""
    made = _over(found, stated)
    if stated.get("moduleConfig"):
        made["moduleConfig"] = _modules(found.get("moduleConfig") or {}, stated["moduleConfig"])
    if stated.get("properties"):
        there = by_name(found.get("properties") or ())
        changed = {name: _over(there.get(name, {}), each) for name, each in by_name(stated["properties"]).items()}
        made["properties"] = list({**there, **changed}.values())
    return made


def _key(difference: Difference, body: Body) -> tuple[str | int, ...]:
    """The part of the body that a difference is in, as deep as the body goes."""
    place: Any = body
    key: list[str | int] = []
    for part in difference.path:
        step: str | int = part
        if isinstance(place, list):
            step = next(index for index, each in enumerate(place) if each["name"] == part)
        elif part not in place:
            break
        key.append(step)
        place = place[step]
    return tuple(key)


def _over(found: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(found)
    for key, value in stated.items():
        there = made.get(key)
        made[key] = _over(there, value) if isinstance(there, dict) and isinstance(value, dict) else value
    return made


def _modules(found: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    replaced = tuple(sort for sort in _SINGLE_MODULES if any(name.startswith(sort) for name in stated))
    kept = {name: each for name, each in found.items() if not (replaced and name.startswith(replaced))}
    return {**kept, **stated}
