"""`replace_collection`: a new collection in the place of the one behind an alias, with all objects, while in use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Earlier, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.weaviate.copy.plan import hindrances
from provision.stores.weaviate.migrate.operations.base import ALIAS_NAME, CLASS_NAME, Live
from provision.stores.weaviate.migrate.operations.replace_copy import ReplaceCopy
from provision.stores.weaviate.migrate.operations.replace_create import ReplaceCreate
from provision.stores.weaviate.migrate.operations.replace_return import ReplaceReturn
from provision.stores.weaviate.migrate.operations.replace_switch import ReplaceSwitch
from provision.stores.weaviate.migrate.operations.replacing import ReplacementState, ReplacePart
from provision.stores.weaviate.migrate.rules import class_problems, name_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld
from provision.text.durations import DURATION

_OTHER_NAME = "give the new class a name of its own, such as one that ends in _v2"
PARTS: tuple[ReplacePart, ...] = (ReplaceCreate(), ReplaceCopy(), ReplaceSwitch())
# Every operation of which this one, or its inverse, is made.
INNER: tuple[ReplacePart, ...] = (*PARTS, ReplaceReturn())


class ReplaceCollection(ReplacePart):
    name = "replace_collection"
    inner = False
    schema = mapping(
        ["alias", "class"],
        **{
            "alias": ALIAS_NAME,
            "from": {**CLASS_NAME, "description": "the name of the collection that the alias stands for now"},
            "class": {"$ref": "#/$defs/Class", "description": "a mapping, the new class as the vendor's JSON says it"},
            "keep": {"type": "string", "pattern": DURATION, "description": "how long the old one is kept, such as 7d"},
            "batch": {
                "type": "integer",
                "minimum": 1,
                "maximum": 5000,
                "description": "how many objects are sent at once",
            },
            "pause": {
                "type": "string",
                "pattern": DURATION,
                "description": "how long writes may be refused at the end, such as 30s",
            },
            "writers": {"enum": ["stopped"], "description": "`stopped`: the author sees to it that nothing writes"},
            "drop": {
                "type": "array",
                "minItems": 1,
                "items": {"type": "string", "minLength": 1},
                "description": "a list of properties and named vectors that are left behind",
            },
        },
    )

    def summary(self, body: Body) -> str:
        return f"replace what {body['alias']} stands for by collection {body['class']['class']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        return [each for part in PARTS for each in part.requests(body)]

    def parts(self, body: Body) -> Sequence[tuple[str, Body]]:
        return [(part.name, body) for part in PARTS]

    def reached(self, _standing: ReplacementState, body: Body, live: Live) -> Fate:
        for part in PARTS:
            fate = part.probe(body, live)
            if fate.outcome is not Outcome.DONE:
                return fate
        return Fate(Outcome.DONE, f"{body['alias']} stands for {body['class']['class']}")

    def run(self, body: Body, live: Live) -> None:
        for part in PARTS:
            if part.probe(body, live).outcome is not Outcome.DONE:
                part.run(body, live)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return ReplaceReturn.name, body

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str | None:
        dropped: Sequence[Any] = body.get("drop", ())
        return f"{', '.join(dropped)} of every object behind {body['alias']} is left behind" if dropped else None

    def problems(self, body: Body) -> Iterable[Problem]:
        new = body["class"]["class"]
        yield from name_problems(body["alias"], "alias", "alias")
        yield from class_problems(body["class"], ("class",))
        if body.get("from") == new:
            what = f"{new} would replace itself"
            yield Problem(("class", "class"), what, _OTHER_NAME)
        if body["alias"] in (new, body.get("from")):
            yield Problem("alias", f"{body['alias']} is the name of a collection here", "name the alias before it")

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        alias, new = body["alias"], body["class"]["class"]
        target = world.aliases.get(alias)
        if new in world.collections:
            what = f"{new} is there already, made in {world.makers[new]}"
            yield Problem(("class", "class"), what, _OTHER_NAME)
            return
        if target is not None and body.get("from", target) != target:
            yield Problem("from", f"{alias} stands for {target} since {world.makers[alias]}", f"write {target}")
            return
        old = world.collections.get(target) if target else None
        world.put(body["class"])
        for key, what, fix in hindrances(old, world.collections[new], body) if old else ():
            yield Problem(key, what, fix)
        if target is not None:
            world.remove(target)
        world.point(alias, new)
