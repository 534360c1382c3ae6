"""`create_index`: an index of a collection, by its name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, renewed
from provision.model.statements import Fate, Outcome
from provision.net.http import path_of
from provision.stores.arango.migrate import indexes
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.compare import same
from provision.stores.arango.migrate.operations.base import ArangoOperation, Live, different, request, without
from provision.stores.arango.migrate.world import ArangoWorld
from provision.stores.arango.server import LONG_SECONDS, NO_COLLECTION


class CreateIndex(ArangoOperation):
    name = "create_index"
    makes = "index"
    schema = body_of("create_index")

    def summary(self, body: Body) -> str:
        return indexes.what(body)

    def text(self, body: Body) -> str:
        return request("POST", f"/_api/index?collection={path_of(body['collection'])[1:]}", without(body, "collection"))

    def probe(self, body: Body, live: Live) -> Fate:
        listed = listed_in(body["collection"], live)
        if listed is None:
            return different(f"there is no collection {body['collection']}")
        fate = indexes.judge(body, listed)
        if fate.outcome is Outcome.NOT_DONE:
            return indexes.building(body, listed_in(body["collection"], live, withHidden="true") or ()) or fate
        return fate

    def run(self, body: Body, live: Live) -> None:
        query = {"collection": body["collection"]}
        live.server.ask("POST", "/_api/index", without(body, "collection"), query=query, seconds=LONG_SECONDS)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_index", {"collection": body["collection"], "name": body["name"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return renewed(self, before, after)

    def effect(self, world: ArangoWorld, body: Body) -> Iterator[Problem]:
        """Refuses one that is made already, otherwise: none can be altered."""
        before, place = world.indexes.setdefault((body["collection"], body["name"]), (body, world.place))
        if not _equal(before, body):
            what = f"{indexes.what(before)} is made by {place}, and no index can be altered"
            yield Problem("name", what, "write drop_index before it")


def _equal(one: Body, other: Body) -> bool:
    mine, theirs = indexes.normal(one), indexes.normal(other)
    return indexes.equal(one, other) and same(mine, theirs) and same(theirs, mine)


def listed_in(collection: str, live: Live, **query: str) -> list[Mapping[str, Any]] | None:
    """The indexes of a collection, or None where there is no such collection."""
    found = live.server.ask("GET", "/_api/index", query={"collection": collection, **query}, missing=(NO_COLLECTION,))
    return None if found is None else list(found["indexes"])
