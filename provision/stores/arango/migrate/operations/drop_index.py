"""`drop_index`: an index by its name; no document is lost."""

from __future__ import annotations

from collections.abc import Iterable

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.operations.base import NAME, ArangoOperation, Live, done, not_done, request
from provision.stores.arango.migrate.operations.create_index import listed_in
from provision.stores.arango.migrate.world import ArangoWorld
from provision.stores.arango.server import NO_COLLECTION, NO_INDEX


class DropIndex(ArangoOperation):
    name = "drop_index"
    schema = mapping(["collection", "name"], collection=NAME, name=NAME)

    def summary(self, body: Body) -> str:
        return f"drop index {body['name']} of {body['collection']}"

    def text(self, body: Body) -> str:
        return request("DELETE", "/_api/index" + path_of(body["collection"], body["name"]))

    def probe(self, body: Body, live: Live) -> Fate:
        there = self._existing(body, live) is not None
        subject = f"index {body['name']} of {body['collection']}"
        return not_done(f"{subject} is there") if there else done(f"there is no {subject}")

    def run(self, body: Body, live: Live) -> None:
        found = self._existing(body, live)
        if found is not None:
            path = "/_api/index" + path_of(*found.split("/", 1))
            live.server.ask("DELETE", path, missing=(NO_INDEX, NO_COLLECTION))

    def effect(self, world: ArangoWorld, body: Body) -> Iterable[Problem]:
        world.indexes.pop((body["collection"], body["name"]), None)
        return ()

    def _existing(self, body: Body, live: Live) -> str | None:
        """The server's id of the index, `collection/number`."""
        listed = listed_in(body["collection"], live) or ()
        return next((str(each["id"]) for each in listed if each["name"] == body["name"]), None)
