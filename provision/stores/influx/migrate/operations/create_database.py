"""`create_database`: a database, which begins with the infinite tier `autogen`."""

from __future__ import annotations

from collections.abc import Iterator

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.model import FIRST_TIER
from provision.stores.influx.migrate.operations.base import DATABASE, InfluxOperation
from provision.stores.influx.migrate.world import Database, InfluxWorld
from provision.stores.influx.server import Server


class CreateDatabase(InfluxOperation):
    name = "create_database"
    schema = mapping(["name"], name=DATABASE)

    def summary(self, body: Body) -> str:
        return f"database {body['name']}"

    def text(self, body: Body) -> str:
        return self.words.create_database(body["name"])

    def probe(self, body: Body, live: Server) -> Fate:
        tiers = live.tiers(body["name"])
        if tiers is None:
            return Fate(Outcome.NOT_DONE, f"there is no database {body['name']}")
        missing = live.unfinished(tiers[FIRST_TIER]) if FIRST_TIER in tiers else ""
        if missing:
            return Fate(Outcome.NOT_DONE, missing)
        return Fate(Outcome.DONE, f"database {body['name']} is there")

    def run(self, body: Body, live: Server) -> None:
        live.create_database(body["name"])

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_database", {"name": body["name"]}

    def effect(self, world: InfluxWorld, body: Body) -> Iterator[Problem]:
        name = body["name"]
        if name in world.databases:
            first = world.databases[name].place
            yield Problem((), f"database {name} is made twice, first in {first}", "keep one of them")
            return
        world.databases[name] = Database.new(name, world.place)
