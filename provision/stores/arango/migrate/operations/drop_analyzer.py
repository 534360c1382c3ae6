"""`drop_analyzer`: an analyzer that nothing uses any more; the server refuses one in use."""

from __future__ import annotations

from provision.documents.operation import Body, mapping
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.operations.base import NAME, ArangoOperation, Live, done, not_done, request
from provision.stores.arango.migrate.operations.create_analyzer import analyzer
from provision.stores.arango.server import NO_COLLECTION, NO_DOCUMENT


class DropAnalyzer(ArangoOperation):
    name = "drop_analyzer"
    schema = mapping(["name"], name=NAME)

    def summary(self, body: Body) -> str:
        return f"drop analyzer {body['name']}"

    def text(self, body: Body) -> str:
        return request("DELETE", "/_api/analyzer" + path_of(body["name"]))

    def probe(self, body: Body, live: Live) -> Fate:
        there = analyzer(body["name"], live) is not None
        return not_done(f"analyzer {body['name']} is there") if there else done(f"there is no analyzer {body['name']}")

    def run(self, body: Body, live: Live) -> None:
        live.server.ask("DELETE", "/_api/analyzer" + path_of(body["name"]), missing=(NO_DOCUMENT, NO_COLLECTION))
