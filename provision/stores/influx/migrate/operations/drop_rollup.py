"""`drop_rollup`: ends a rollup. What it wrote stays."""

from __future__ import annotations

from collections.abc import Iterator

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.operations.base import DATABASE, NAME, InfluxOperation
from provision.stores.influx.migrate.world import InfluxWorld
from provision.stores.influx.server import Server


class DropRollup(InfluxOperation):
    name = "drop_rollup"
    schema = mapping(["database", "name"], database=DATABASE, name=NAME)

    def summary(self, body: Body) -> str:
        return f"delete rollup {body['name']} of {body['database']}"

    def text(self, body: Body) -> str:
        return self.words.drop_rollup(body["database"], body["name"])

    def probe(self, body: Body, live: Server) -> Fate:
        if body["name"] in live.rollups(body["database"]):
            return Fate(Outcome.NOT_DONE, f"rollup {body['name']} of {body['database']} is still there")
        live.ensure_no_rollup()
        return Fate(Outcome.DONE, f"there is no rollup {body['name']} in {body['database']}")

    def run(self, body: Body, live: Server) -> None:
        live.drop_rollup(body["database"], body["name"])

    def effect(self, world: InfluxWorld, body: Body) -> Iterator[Problem]:
        database = world.databases.get(body["database"])
        if database is None or database.rollups.pop(body["name"], None) is None:
            there = ", ".join(database.rollups) if database and database.rollups else "none"
            what = f"no rollup {body['name']} is there in {body['database']} by then"
            yield Problem((), what, f"those there: {there}")
