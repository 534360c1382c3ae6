"""`alter_retention_policy`: another duration, shard duration or default for a tier that is there.

What is not stated stays, but for a shard duration that is longer than the new duration: servers refuse the two
together, and it becomes their own default for that duration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from provision.documents.operation import Body, Earlier, Problem, Stopped, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.model import FIRST_TIER, Tier, default_shard, seconds, shown
from provision.stores.influx.migrate.operations.base import DATABASE, KEPT, NAME, SPAN, InfluxOperation, too_short
from provision.stores.influx.migrate.world import InfluxWorld, out_of_reach
from provision.stores.influx.server import Server

_TIERS = ("create_retention_policy", "alter_retention_policy")


class AlterRetentionPolicy(InfluxOperation):
    name = "alter_retention_policy"
    schema = mapping(
        ["database", "name"],
        database=DATABASE,
        name=NAME,
        duration={**KEPT, "description": "how long points are kept: a duration such as 24h, 30d, 52w, or inf"},
        shard_duration={**SPAN, "description": "the span of one file of points: a duration such as 1h, 1d, 7d"},
        default={"const": True, "description": "true: points whose writer names no tier go here"},
    )

    def summary(self, body: Body) -> str:
        words = {"duration": "kept for {}", "shard_duration": "in files of {}", "default": "the default"}
        changes = [words[key].format(body[key]) for key in words if key in body]
        return f"alter tier {body['name']} of {body['database']}: {', '.join(changes)}".replace("for inf", "for ever")

    def text(self, body: Body) -> str:
        duration, shard = _spans(body)
        return self.words.alter_tier(body["database"], body["name"], duration, shard, default="default" in body)

    def probe(self, body: Body, live: Server) -> Fate:
        found = (live.tiers(body["database"]) or {}).get(body["name"])
        if found is None:
            raise Stopped(f"there is no tier {body['name']} in {body['database']}")
        duration, shard = _spans(body)
        done = (
            duration in (None, found.duration)
            and shard in (None, found.shard)
            and (found.default or "default" not in body)
        )
        default = ", the default" if found.default else ""
        seen = f"tier {found.name} of {found.database} is kept {shown(found.duration)}, shards of {shown(found.shard)}"
        return Fate(Outcome.DONE if done else Outcome.NOT_DONE, f"{seen}{default}")

    def run(self, body: Body, live: Server) -> None:
        duration, shard = _spans(body)
        before = (live.tiers(body["database"]) or {})[body["name"]]
        after = _altered(before, body)
        shard = after.shard if after.shard != before.shard else shard
        live.alter_tier(body["database"], body["name"], duration, shard, default="default" in body)

    def destructive(self, body: Body, earlier: Earlier = ()) -> str | None:
        duration, _ = _spans(body)
        if not duration:
            return None
        points = f"points of tier {body['name']} of {body['database']} older than {shown(duration)} are lost"
        before = _kept_before(body, earlier)
        if before is None:
            return f"{points}, if it keeps them now"
        if before and duration >= before:
            return None
        return f"{points}; it keeps them {'for ever' if not before else f'for {shown(before)}'} now"

    def problems(self, body: Body) -> Iterable[Problem]:
        duration, shard = _spans(body)
        if duration is None and shard is None and "default" not in body:
            yield Problem("name", "nothing is to be altered", "state a duration, a shard_duration or `default: true`")
        if duration is not None and (what := too_short("duration", duration)):
            yield Problem("duration", what, "write 1h or more, or inf")
        elif shard is not None and (what := too_short("shard_duration", shard)):
            yield Problem("shard_duration", what, "write 1h or more")
        elif duration and shard is not None and shard > duration:
            what = f"shard_duration is {shown(shard)}, longer than the duration of {shown(duration)}"
            yield Problem("shard_duration", what, f"write {shown(duration)} or less")

    def effect(self, world: InfluxWorld, body: Body) -> Iterator[Problem]:
        database = world.databases.get(body["database"])
        if database is None or body["name"] not in database.tiers:
            yield world.no_tier(body["name"], body["database"])
            return
        if "default" in body:
            database.no_default()
        after = _altered(database.tiers[body["name"]], body)
        if after.duration and after.shard > after.duration:
            what = f"shard_duration is {shown(after.shard)}, longer than the duration of {shown(after.duration)}"
            yield Problem((), what, f"write {shown(after.duration)} or less")
        database.tiers[after.name] = after
        for rollup in database.rollups.values():
            if rollup.source.tier == after.name:
                yield from out_of_reach(rollup, after)


def _altered(before: Tier, body: Body) -> Tier:
    duration, shard = _spans(body)
    if shard is None:
        shard = default_shard(duration) if duration and before.shard > duration else before.shard
    return Tier(
        before.database,
        before.name,
        before.duration if duration is None else duration,
        shard,
        before.default or "default" in body,
    )


def _spans(body: Body) -> tuple[int | None, int | None]:
    """The new duration and shard duration in seconds; None for what stays."""
    duration, shard = (seconds(body[key]) if key in body else None for key in ("duration", "shard_duration"))
    return duration, shard


def _kept_before(body: Body, earlier: Earlier) -> int | None:
    """How long the tier keeps points after the operations before, in seconds; None when they do not say it."""
    place = (body["database"], body["name"])
    before = None
    for each in earlier:
        if each.name == "create_database" and place == (each.body["name"], FIRST_TIER):
            before = 0
        elif each.name in _TIERS and "duration" in each.body and place == (each.body["database"], each.body["name"]):
            before = seconds(each.body["duration"])
    return before
