"""`drop_retention_policy`: deletes a tier with its points. A database is never left without a default tier by it."""

from __future__ import annotations

from collections.abc import Iterator

from provision.documents.operation import Body, Earlier, Problem, Stopped, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.model import FIRST_TIER
from provision.stores.influx.migrate.operations.base import DATABASE, NAME, InfluxOperation
from provision.stores.influx.migrate.world import InfluxWorld
from provision.stores.influx.server import Server


class DropRetentionPolicy(InfluxOperation):
    name = "drop_retention_policy"
    schema = mapping(["database", "name"], database=DATABASE, name=NAME)

    def summary(self, body: Body) -> str:
        return f"delete tier {body['name']} of {body['database']}"

    def text(self, body: Body) -> str:
        return self.words.drop_tier(body["database"], body["name"])

    def probe(self, body: Body, live: Server) -> Fate:
        if body["name"] in (live.tiers(body["database"]) or {}):
            return Fate(Outcome.NOT_DONE, f"tier {body['name']} of {body['database']} is still there")
        live.ensure_none(body["database"], body["name"])
        return Fate(Outcome.DONE, f"there is no tier {body['name']} in {body['database']}")

    def run(self, body: Body, live: Server) -> None:
        """Delete it; where it is the default, `autogen` becomes that first, or the server refuses every write after."""
        database, name = body["database"], body["name"]
        tiers = dict(live.tiers(database) or {})
        going = tiers.pop(name)
        if going.default and tiers and FIRST_TIER not in tiers:
            raise Stopped(f"tier {name} is the default of {database}; make one of {', '.join(tiers)} the default first")
        if going.default and tiers:
            live.alter_tier(database, FIRST_TIER, None, None, default=True)
        live.drop_tier(database, name)

    def destructive(self, body: Body, _earlier: Earlier = ()) -> str:
        return f"the points of tier {body['name']} of {body['database']} are lost"

    def effect(self, world: InfluxWorld, body: Body) -> Iterator[Problem]:
        name, database = body["name"], world.databases.get(body["database"])
        if database is None or name not in database.tiers:
            yield world.no_tier(name, body["database"])
            return
        for rollup in database.rollups.values():
            if name in (rollup.source.tier, rollup.target.tier):
                what = (
                    f"tier {name} of {body['database']} is still used by rollup {rollup.name}"
                    f" of {database.rollup_places[rollup.name]}"
                )
                yield Problem((), what, "delete the rollup first, with drop_rollup")
        del database.tiers[name]
