"""`create_collection`: a document or an edge collection, with its schema, computed values and key options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, Problem
from provision.model.statements import Fate
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.compare import difference
from provision.stores.arango.migrate.operations.base import (
    ArangoOperation,
    Live,
    judged,
    not_done,
    request,
)
from provision.stores.arango.migrate.world import DOCUMENT, EDGE, ArangoWorld

# What the vendor lets nobody change once the collection is made.
FIXED = (
    *("type", "keyOptions", "numberOfShards", "shardKeys", "shardingStrategy", "distributeShardsLike"),
    *("isSmart", "isDisjoint", "smartGraphAttribute", "smartJoinAttribute"),
)
# Only servers in a cluster tell these.
_CLUSTER = (*FIXED[2:], "replicationFactor", "writeConcern")
_EXTRAS = {"schema": "a schema", "computedValues": "computed values"}
_USUAL: Mapping[str, object] = {"type": DOCUMENT}
_UNSTATED = {"type": DOCUMENT, "schema": None, "computedValues": None, "keyOptions": {"type": "traditional"}}


class CreateCollection(ArangoOperation):
    name = "create_collection"
    makes = "collection"
    schema = body_of("create_collection")

    def summary(self, body: Body) -> str:
        kind = "edge" if body.get("type") == EDGE else "document"
        extra = [words for key, words in _EXTRAS.items() if body.get(key)]
        return f"{kind} collection {body['name']}" + (f" with {' and '.join(extra)}" if extra else "")

    def text(self, body: Body) -> str:
        return request("POST", "/_api/collection", body)

    def probe(self, body: Body, live: Live) -> Fate:
        found = live.collection(body["name"])
        if found is None:
            return not_done(f"there is no collection {body['name']}")
        subject = f"collection {body['name']}"
        wanted = {key: value for key, value in (_UNSTATED | dict(body)).items() if key in found or key not in _CLUSTER}
        return judged(properties_differ(subject, wanted, found), subject)

    def run(self, body: Body, live: Live) -> None:
        live.server.ask("POST", "/_api/collection", body)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_collection", {"name": body["name"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        was, wanted = (_UNSTATED | dict(each) for each in (before, after))
        changed = {key: wanted.get(key) for key in {**was, **wanted} if was.get(key) != wanted.get(key)}
        return () if changed.keys() & set(FIXED) else (("update_collection", {"name": after["name"], **changed}),)

    def effect(self, world: ArangoWorld, body: Body) -> Iterator[Problem]:
        """Refuses one that is made already, otherwise."""
        name = body["name"]
        earlier, place = world.collections.setdefault(name, (body, world.place))
        for key in (*FIXED, *sorted({*earlier, *body} - {"name", *FIXED})):
            if earlier.get(key, _USUAL.get(key)) == body.get(key, _USUAL.get(key)):
                continue
            fix = f"write update_collection to change {key}"
            if key in FIXED:
                fix = "drop it first, or make a collection of another name and move the documents with aql"
            what = f"collection {name} is made by {place} with another {key}"
            yield Problem(key if key in body else "name", what, fix)
            return


def properties_differ(subject: str, wanted: Body, found: Body) -> str:
    """The first property that the server has otherwise, as a sentence; empty for none."""
    mine, theirs = (normal(side) for side in (wanted, found))
    differs = difference(subject, mine, theirs)
    if not differs and mine.get("schema") and mine["schema"]["rule"] != theirs["schema"]["rule"]:
        return f"{subject} is there with more in its schema.rule than the file says"
    return differs


def normal(properties: Body) -> dict[str, Any]:
    """Properties with what the server fills in: an empty list is none, a schema is strict unless it says otherwise."""
    made = dict(properties)
    for key in ("computedValues", "schema"):
        if key in made:
            made[key] = made[key] or None
    if made.get("schema"):
        made["schema"] = {"level": "strict", **made["schema"]}
    return made
