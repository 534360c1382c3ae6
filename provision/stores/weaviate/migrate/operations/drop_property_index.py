"""`drop_property_index`: one of the inverted indexes of a property; the values stay. It cannot be built again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Earlier, Problem, Stopped, mapping
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.weaviate.migrate.compare import by_name
from provision.stores.weaviate.migrate.operations.base import CLASS_NAME, PROPERTY_NAME, Live, Schema, WeaviateOperation
from provision.stores.weaviate.migrate.rules import name_problems
from provision.stores.weaviate.migrate.world import WeaviateWorld

FLAGS = {"filterable": "indexFilterable", "searchable": "indexSearchable", "rangeFilters": "indexRangeFilters"}
_INDEX: Schema = {"enum": list(FLAGS)}


class DropPropertyIndex(WeaviateOperation):
    name = "drop_property_index"
    schema = mapping(
        ["class", "property", "index"],
        **{"class": CLASS_NAME, "property": PROPERTY_NAME, "index": _INDEX},
    )

    def summary(self, body: Body) -> str:
        return f"drop the {body['index']} index of {body['class']}.{body['property']}"

    def requests(self, body: Body) -> Sequence[tuple[str, str, Any]]:
        path = path_of("schema", body["class"], "properties", body["property"], "index", body["index"])
        return [("DELETE", path, None)]

    def probe(self, body: Body, live: Live) -> Fate:
        subject = f"{body['class']}.{body['property']}"
        there = by_name(live.collection(body["class"]).get("properties") or ())
        if body["property"] not in there:
            raise Stopped(f"the property {subject} is not there")
        if there[body["property"]].get(FLAGS[body["index"]]):
            return Fate(Outcome.NOT_DONE, f"{subject} has its {body['index']} index")
        return Fate(Outcome.DONE, f"{subject} has no {body['index']} index")

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return (
            f"the {body['index']} index of {body['class']}.{body['property']} is gone, and only a new collection has it"
        )

    def problems(self, body: Body) -> Iterable[Problem]:
        yield from name_problems(body["class"], "collection", "class")

    def effect(self, world: WeaviateWorld, body: Body) -> Iterator[Problem]:
        name, stated = body["class"], body["property"]
        yield from world.missing(name, "class")
        found = world.collections.get(name)
        if found is None:
            return
        there = by_name(found.get("properties") or ())
        if stated not in there:
            fix = f"name one of {', '.join(there) or 'its properties'}"
            yield Problem("property", f"{world.of(name)} has no property {stated}", fix)
            return
        changed = {**there[stated], FLAGS[body["index"]]: False}
        found["properties"] = list({**there, stated: changed}.values())
