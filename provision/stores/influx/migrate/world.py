"""What the operations of Influx documents leave on a server that began empty: databases with tiers and rollups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from provision.documents.operation import Problem, World
from provision.stores.influx.migrate.model import FIRST_TIER, WEEK, Rollup, Tier, shown


@dataclass(slots=True)
class Database:
    """The places say where each is made; nothing makes the tier that a database begins with."""

    place: str
    tiers: dict[str, Tier]
    rollups: dict[str, Rollup] = field(default_factory=dict)
    tier_places: dict[str, str] = field(default_factory=dict)
    rollup_places: dict[str, str] = field(default_factory=dict)

    @classmethod
    def new(cls, name: str, place: str) -> Database:
        return cls(place, {FIRST_TIER: Tier(name, FIRST_TIER, 0, WEEK, default=True)})

    def no_default(self) -> None:
        """No tier is the default, until one is put that is."""
        for name, each in self.tiers.items():
            self.tiers[name] = replace(each, default=False)


@dataclass(slots=True)
class InfluxWorld(World):
    databases: dict[str, Database] = field(default_factory=dict)

    def no_tier(self, name: str, database: str) -> Problem:
        """The problem of naming a tier that is not there, or is in no database."""
        found = self.databases.get(database)
        if found is None:
            return no_database(database)
        fix = f"make it before with create_retention_policy; those there: {', '.join(found.tiers)}"
        return Problem((), f"no tier {name} is there in {database} by then", fix)


def no_database(name: str) -> Problem:
    """The problem of naming a database that is not there."""
    return Problem((), f"no database {name} is there by then", f"add `create_database: {{name: {name}}}` before it")


def out_of_reach(rollup: Rollup, source: Tier) -> Iterator[Problem]:
    """The problem of a rollup that reads back further than its source keeps points."""
    if source.duration and rollup.span > source.duration:
        yield Problem(
            (),
            f"rollup {rollup.name} reads back {shown(rollup.span)}, and tier {source.name} keeps points only"
            f" {shown(source.duration)}",
            "shorten `every` or `late`, or keep the points longer",
        )
