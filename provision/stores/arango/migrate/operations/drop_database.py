"""`drop_database`: a database of the server with all that is in it; never the one in the url."""

from __future__ import annotations

from provision.documents.operation import Body, Earlier, Stopped, mapping
from provision.model.statements import Fate
from provision.net.http import path_of
from provision.stores.arango.migrate.operations.base import NAME, ArangoOperation, Live, done, not_done, request
from provision.stores.arango.migrate.operations.create_database import there
from provision.stores.arango.server import NO_DATABASE, SYSTEM


class DropDatabase(ArangoOperation):
    name = "drop_database"
    schema = mapping(["name"], name=NAME)

    def summary(self, body: Body) -> str:
        return f"drop database {body['name']}"

    def text(self, body: Body) -> str:
        return request("DELETE", f"/_db/{SYSTEM}/_api/database" + path_of(body["name"]))

    def probe(self, body: Body, live: Live) -> Fate:
        if body["name"] == live.server.database:
            raise Stopped(f"database {body['name']} holds the ledger: it cannot be dropped by a migration")
        return not_done(f"database {body['name']} is there") if there(body, live) else done(f"no {body['name']}")

    def run(self, body: Body, live: Live) -> None:
        path = "/_api/database" + path_of(body["name"])
        live.server.ask("DELETE", path, database=SYSTEM, missing=(NO_DATABASE,))

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"everything in database {body['name']} is lost"
