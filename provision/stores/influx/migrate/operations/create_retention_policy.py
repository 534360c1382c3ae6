"""`create_retention_policy`: a tier, as a retention policy of 1.x or a bucket with its mapping of 2.x."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.model import FIRST_TIER, Tier, shown
from provision.stores.influx.migrate.operations.base import (
    DATABASE,
    DEFAULT,
    KEPT,
    NAME,
    SPAN,
    InfluxOperation,
    too_short,
)
from provision.stores.influx.migrate.world import Database, InfluxWorld, no_database
from provision.stores.influx.server import Server

_LEAST = "write 1h or more"


class CreateRetentionPolicy(InfluxOperation):
    name = "create_retention_policy"
    schema = mapping(
        ["database", "name", "duration"],
        database=DATABASE,
        name=NAME,
        duration={**KEPT, "description": "how long points are kept: a duration such as 24h, 30d, 52w, or inf"},
        shard_duration={**SPAN, "description": "the span of one file of points: a duration such as 1h, 1d, 7d"},
        default=DEFAULT,
    )

    def summary(self, body: Body) -> str:
        kept = "for ever" if body["duration"] == "inf" else f"for {body['duration']}"
        default = ", the default" if body.get("default") else ""
        return f"tier {body['name']} of {body['database']}, kept {kept}{default}"

    def text(self, body: Body) -> str:
        return self.words.create_tier(Tier.of(body))

    def probe(self, body: Body, live: Server) -> Fate:
        wanted = Tier.of(body)
        found = (live.tiers(wanted.database) or {}).get(wanted.name)
        if found is None:
            return Fate(Outcome.NOT_DONE, f"there is no tier {wanted.name} in {wanted.database}")
        if differs := found.difference(wanted):
            return Fate(Outcome.DIFFERENT, differs)
        if missing := live.unfinished(found):
            return Fate(Outcome.NOT_DONE, missing)
        if wanted.default and not found.default:
            what = f"tier {wanted.name} of {wanted.database} is there and is not the default, the file says it is"
            return Fate(Outcome.DIFFERENT, what)
        return Fate(Outcome.DONE, f"tier {wanted.name} of {wanted.database} is there")

    def run(self, body: Body, live: Server) -> None:
        live.create_tier(Tier.of(body))

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_retention_policy", {"database": body["database"], "name": body["name"]}

    def altered(self, _before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return (("alter_retention_policy", after),)

    def problems(self, body: Body) -> Iterable[Problem]:
        tier = Tier.of(body)
        if what := too_short("duration", tier.duration):
            yield Problem("duration", what, f"{_LEAST}, or inf")
            return
        if what := too_short("shard_duration", tier.shard):
            yield Problem("shard_duration", what, _LEAST)
        elif tier.duration and tier.shard > tier.duration:
            what = f"shard_duration is {shown(tier.shard)}, longer than the duration of {shown(tier.duration)}"
            yield Problem("shard_duration", what, f"write {shown(tier.duration)} or less")

    def effect(self, world: InfluxWorld, body: Body) -> Iterator[Problem]:
        tier, database = Tier.of(body), world.databases.get(body["database"])
        if database is None:
            yield no_database(tier.database)
            return
        if tier.name in database.tiers:
            first = database.tier_places.get(tier.name, f"create_database in {database.place}")
            fix = "name it otherwise, or change it with alter_retention_policy"
            yield Problem((), f"tier {tier.name} of {tier.database} is made twice, first by {first}", fix)
            return
        if tier.default:
            yield from _second_default(tier, database)
            database.no_default()
        database.tiers[tier.name] = tier
        database.tier_places[tier.name] = world.place


def _second_default(tier: Tier, database: Database) -> Iterator[Problem]:
    # The tier that a database begins with is the default of those who have chosen none.
    others = [each.name for each in database.tiers.values() if each.default and each.name != FIRST_TIER]
    for other in others:
        yield Problem(
            (),
            f"tier {tier.name} would be a second default of {tier.database}: tier {other} of"
            f" {database.tier_places[other]} is it",
            "leave `default` out, or move it with alter_retention_policy",
        )
