"""`create_collection`: a document or an edge collection, with its schema, computed values and key options."""

from __future__ import annotations

from typing import Any

from provision.documents.operation import Body
from provision.model import Fate
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.compare import difference
from provision.stores.arango.migrate.operations.base import (
    DOCUMENT,
    EDGE,
    ArangoOperation,
    Live,
    judged,
    not_done,
    request,
)

# What the vendor lets nobody change once the collection is made.
FIXED = (
    *("type", "keyOptions", "numberOfShards", "shardKeys", "shardingStrategy", "distributeShardsLike"),
    *("isSmart", "isDisjoint", "smartGraphAttribute", "smartJoinAttribute"),
)
# Only servers in a cluster tell these.
_CLUSTER = (*FIXED[2:], "replicationFactor", "writeConcern")
_EXTRAS = {"schema": "a schema", "computedValues": "computed values"}
_UNSTATED = {"type": DOCUMENT, "schema": None, "computedValues": None, "keyOptions": {"type": "traditional"}}


class CreateCollection(ArangoOperation):
    name = "create_collection"
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


def properties_differ(subject: str, wanted: Body, found: Body) -> str:
    """The first property that the server has otherwise, as a sentence; empty for none."""
    mine, theirs = (normal(side) for side in (wanted, found))
    differs = difference(subject, mine, theirs)
    if not differs and mine.get("schema") and mine["schema"]["rule"] != theirs["schema"]["rule"]:
        return f"{subject} is there with more in its schema.rule than the document says"
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
