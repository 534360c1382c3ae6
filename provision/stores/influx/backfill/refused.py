"""Asks InfluxDB about a backfill before a point is written: its database, rollups, their order and its range."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

from provision.errors import ConfigError
from provision.model.backfills import Backfill
from provision.stores.influx.backfill.range import Range, RangeRequest
from provision.stores.influx.migrate.model import Rollup, Tier
from provision.stores.influx.server import Server
from provision.text.nearest import near


def refused(server: Server, backfill: Backfill, named: Sequence[str]) -> Iterator[ConfigError]:
    """What is wrong with it, all together."""
    bad = list(_bad_moments(backfill))
    yield from bad
    database = str(backfill.body["database"])
    tiers = server.tiers(database)
    if tiers is None:
        what, fix = f"{backfill.store} has no database {database}", near(database, server.databases(), "its databases")
        yield ConfigError("unknown-table", what, where=backfill.place("database"), fix=fix)
        return
    errors, rollups = list[ConfigError](), list[Rollup]()
    made, every = server.made(database), server.rollups(database)
    for place, name in enumerate(named):
        found = made.get(name)
        where = backfill.place("rollup", place) if ("rollup", place) in backfill.places else backfill.place("rollup")
        errors += _unknown(database, name, found, every, tiers, where)
        rollups += [found] if isinstance(found, Rollup) else []
    yield from errors
    yield from _out_of_order(rollups, backfill.place("rollup"))
    if not errors and not bad:
        yield from _empty(backfill, rollups, tiers)


def _bad_moments(backfill: Backfill) -> Iterator[ConfigError]:
    for key in ("since", "until"):
        try:
            RangeRequest.of({name: value for name, value in backfill.body.items() if name == key})
        except ValueError:
            what = f"{key} is no moment: {backfill.body[key]}"
            yield ConfigError("bad-expression", what, where=backfill.place(key), fix="write 2026-03-02 09:00:00")


def _unknown(
    database: str,
    name: str,
    found: Rollup | str | None,
    every: Sequence[str],
    tiers: Mapping[str, Tier],
    where: str,
) -> Iterator[ConfigError]:
    if isinstance(found, Rollup):
        for side in (found.source, found.target):
            if side.tier not in tiers:
                what = f"{database} has no tier {side.tier}, which rollup {name} names"
                yield ConfigError("unknown-table", what, where=where, fix=near(side.tier, list(tiers), "its tiers"))
    elif name in every:
        what = f"{name} of {database} is not what create_rollup makes: its windows cannot be told"
        yield ConfigError("foreign-rollup", what, where=where, fix="name a rollup that a file makes")
    else:
        fix = near(name, every, "its rollups")
        yield ConfigError("unknown-rollup", f"{database} has no rollup {name}", where=where, fix=fix)


def _out_of_order(rollups: Sequence[Rollup], where: str) -> Iterator[ConfigError]:
    for place, first in enumerate(rollups):
        for later in rollups[place + 1 :]:
            if later.target == first.source:
                what = f"{first.name} is made of what {later.name} writes, and comes before it"
                yield ConfigError("rollup-order", what, where=where, fix=f"write {later.name} first")


def _empty(backfill: Backfill, rollups: Sequence[Rollup], tiers: Mapping[str, Tier]) -> Iterator[ConfigError]:
    """A range in which no rollup has a window that can be filled."""
    now, asked = int(time.time()), RangeRequest.of(backfill.body)
    why = [
        Range.of(each, (tiers[each.source.tier], tiers[each.target.tier]), now, now).outside(asked) for each in rollups
    ]
    if all(why):
        range_ = " ".join(f"{key} {backfill.body[key]}" for key in ("since", "until") if key in backfill.body)
        where = backfill.place("since" if "since" in backfill.body else "until")
        what = f"{rollups[0].name} has no window {range_} that can be filled: {why[0]}"
        yield ConfigError("empty-range", what, where=where, fix="correct since and until")
