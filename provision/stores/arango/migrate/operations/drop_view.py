"""`drop_view`: a view; the documents that it found stay."""

from __future__ import annotations

from provision.documents.operation import Body, mapping
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.operations.base import NAME, ArangoOperation, Live, done, not_done, request
from provision.stores.arango.migrate.operations.create_view import properties
from provision.stores.arango.server import NO_COLLECTION


class DropView(ArangoOperation):
    name = "drop_view"
    schema = mapping(["name"], name=NAME)

    def summary(self, body: Body) -> str:
        return f"drop view {body['name']}"

    def text(self, body: Body) -> str:
        return request("DELETE", "/_api/view" + path_of(body["name"]))

    def probe(self, body: Body, live: Live) -> Fate:
        there = properties(body["name"], live) is not None
        return not_done(f"view {body['name']} is there") if there else done(f"there is no view {body['name']}")

    def run(self, body: Body, live: Live) -> None:
        live.server.ask("DELETE", "/_api/view" + path_of(body["name"]), missing=(NO_COLLECTION,))
