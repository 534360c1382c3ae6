"""`drop_database`: deletes a database with its tiers, rollups and points."""

from __future__ import annotations

from collections.abc import Iterator

from provision.documents.operation import Body, Earlier, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.operations.base import DATABASE, InfluxOperation
from provision.stores.influx.migrate.world import InfluxWorld, no_database
from provision.stores.influx.server import Server


class DropDatabase(InfluxOperation):
    name = "drop_database"
    schema = mapping(["name"], name=DATABASE)

    def summary(self, body: Body) -> str:
        return f"delete database {body['name']}"

    def text(self, body: Body) -> str:
        return self.words.drop_database(body["name"])

    def probe(self, body: Body, live: Server) -> Fate:
        if live.tiers(body["name"]) is not None:
            return Fate(Outcome.NOT_DONE, f"database {body['name']} is still there")
        live.ensure_none(body["name"])
        return Fate(Outcome.DONE, f"there is no database {body['name']}")

    def run(self, body: Body, live: Server) -> None:
        live.drop_database(body["name"])

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"all points of database {body['name']} are lost"

    def effect(self, world: InfluxWorld, body: Body) -> Iterator[Problem]:
        if world.databases.pop(body["name"], None) is None:
            yield no_database(body["name"])
