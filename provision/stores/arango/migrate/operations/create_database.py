"""`create_database`: another database on the same server; the one in the url is made by `up` itself."""

from __future__ import annotations

from provision.documents.operation import Body
from provision.model.statements import Fate
from provision.stores.arango.migrate.bodies import body_of
from provision.stores.arango.migrate.operations.base import ArangoOperation, Live, done, not_done, request
from provision.stores.arango.server import DUPLICATE_NAME, SYSTEM


class CreateDatabase(ArangoOperation):
    """Its options hold for collections made later and can be asked for in a cluster alone: they are not compared."""

    name = "create_database"
    makes = "database"
    schema = body_of("create_database")

    def summary(self, body: Body) -> str:
        return f"database {body['name']}"

    def text(self, body: Body) -> str:
        return request("POST", f"/_db/{SYSTEM}/_api/database", body)

    def probe(self, body: Body, live: Live) -> Fate:
        return done(f"database {body['name']} is there") if there(body, live) else not_done(f"no {self.summary(body)}")

    def run(self, body: Body, live: Live) -> None:
        live.server.ask("POST", "/_api/database", body, database=SYSTEM, missing=(DUPLICATE_NAME,))

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_database", {"name": body["name"]}


def there(body: Body, live: Live) -> bool:
    return body["name"] in live.server.ask("GET", "/_api/database", database=SYSTEM)["result"]
