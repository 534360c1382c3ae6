"""Mistakes between Influx documents, found by going through their operations as a server would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from provision.documents import Document
from provision.documents.operation import Body
from provision.errors import ProvisionError
from provision.stores.influx.migrate.model import FIRST_TIER, WEEK, Rollup, Tier, shown


@dataclass(frozen=True, slots=True)
class _Mistake:
    what: str
    fix: str


@dataclass(slots=True)
class _Database:
    """What the documents so far have made; `places` says where."""

    tiers: dict[str, Tier]
    rollups: dict[str, Rollup] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Walk:
    databases: dict[str, _Database] = field(default_factory=dict)
    place: str = ""


def mistakes(found: Sequence[Document]) -> Iterator[ProvisionError]:
    """Everything that is wrong between documents that are each right by themselves, in their order."""
    walk = _Walk()
    for document in found:
        for index, each in enumerate(document.up):
            walk.place = f"{document.shown}:{each.line}"
            for mistake in _CHECKS.get(each.name, _nothing)(each.body, walk):
                yield document.wrong(mistake.what, ("up", index, each.name), mistake.fix)


_Check = Callable[[Body, _Walk], Iterable[_Mistake]]


def _nothing(_body: Body, _walk: _Walk) -> Iterable[_Mistake]:
    return ()


def _create_database(body: Body, walk: _Walk) -> Iterator[_Mistake]:
    name = body["name"]
    if name in walk.databases:
        yield _Mistake(f"database {name} is made twice, first in {walk.databases[name].places['']}", "keep one of them")
        return
    first = Tier(name, FIRST_TIER, 0, WEEK, default=True)
    walk.databases[name] = _Database({FIRST_TIER: first}, places={"": walk.place})


def _drop_database(body: Body, walk: _Walk) -> Iterator[_Mistake]:
    if walk.databases.pop(body["name"], None) is None:
        yield _no_database(body["name"])


def _create_tier(body: Body, walk: _Walk) -> Iterator[_Mistake]:
    database = walk.databases.get(body["database"])
    if database is None:
        yield _no_database(body["database"])
        return
    tier = Tier.of(body)
    if tier.name in database.tiers:
        first = database.places.get(f"tier {tier.name}", f"create_database in {database.places['']}")
        fix = "name it otherwise, or change it with alter_retention_policy"
        yield _Mistake(f"tier {tier.name} of {tier.database} is made twice, first by {first}", fix)
        return
    if tier.default:
        yield from _second_default(tier, database)
        _make_default(database)
    database.tiers[tier.name] = tier
    database.places[f"tier {tier.name}"] = walk.place


def _second_default(tier: Tier, database: _Database) -> Iterator[_Mistake]:
    # The tier that a database begins with is the default of those who have chosen none.
    others = [each.name for each in database.tiers.values() if each.default and each.name != FIRST_TIER]
    for other in others:
        yield _Mistake(
            f"tier {tier.name} would be a second default of {tier.database}: tier {other} of"
            f" {database.places[f'tier {other}']} is it",
            "leave `default` out, or move it with alter_retention_policy",
        )


def _make_default(database: _Database) -> None:
    for name, each in database.tiers.items():
        database.tiers[name] = replace(each, default=False)


def _alter_tier(body: Body, walk: _Walk) -> Iterator[_Mistake]:
    database = walk.databases.get(body["database"])
    if database is None or body["name"] not in database.tiers:
        yield _no_tier(body["name"], body["database"], database)
        return
    if "default" in body:
        _make_default(database)
    before = database.tiers[body["name"]]
    after = Tier.of(
        {"duration": shown(before.duration), **({} if "duration" in body else {"shard_duration": shown(before.shard)})}
        | {**body, "default": before.default or "default" in body}
    )
    if after.duration and after.shard > after.duration:
        what = f"shard_duration is {shown(after.shard)}, longer than the duration of {shown(after.duration)}"
        yield _Mistake(what, f"write {shown(after.duration)} or less")
    database.tiers[after.name] = after
    for rollup in database.rollups.values():
        if rollup.source.tier == after.name:
            yield from _out_of_reach(rollup, after)


def _drop_tier(body: Body, walk: _Walk) -> Iterator[_Mistake]:
    database = walk.databases.get(body["database"])
    if database is None or body["name"] not in database.tiers:
        yield _no_tier(body["name"], body["database"], database)
        return
    for rollup in database.rollups.values():
        if body["name"] in (rollup.source.tier, rollup.target.tier):
            yield _Mistake(
                f"tier {body['name']} of {body['database']} is still used by rollup {rollup.name}"
                f" of {database.places[f'rollup {rollup.name}']}",
                "delete the rollup first, with drop_rollup",
            )
    del database.tiers[body["name"]]


def _create_rollup(body: Body, walk: _Walk) -> Iterator[_Mistake]:
    database, rollup = walk.databases.get(body["database"]), Rollup.of(body)
    if database is None:
        yield _no_database(rollup.database)
        return
    if rollup.name in database.rollups:
        first = database.places[f"rollup {rollup.name}"]
        fix = "name it otherwise, or delete the first with drop_rollup"
        yield _Mistake(f"rollup {rollup.name} of {rollup.database} is made twice, first by {first}", fix)
        return
    missing = [each for each in (rollup.source.tier, rollup.target.tier) if each not in database.tiers]
    for tier in dict.fromkeys(missing):
        yield _no_tier(tier, rollup.database, database)
    if not missing:
        yield from _out_of_reach(rollup, database.tiers[rollup.source.tier])
    database.rollups[rollup.name] = rollup
    database.places[f"rollup {rollup.name}"] = walk.place


def _out_of_reach(rollup: Rollup, source: Tier) -> Iterator[_Mistake]:
    if source.duration and rollup.span > source.duration:
        yield _Mistake(
            f"rollup {rollup.name} reads back {shown(rollup.span)}, and tier {source.name} keeps points only"
            f" {shown(source.duration)}",
            "shorten `every` or `late`, or keep the points longer",
        )


def _drop_rollup(body: Body, walk: _Walk) -> Iterator[_Mistake]:
    database = walk.databases.get(body["database"])
    if database is None or database.rollups.pop(body["name"], None) is None:
        there = ", ".join(database.rollups) if database and database.rollups else "none"
        yield _Mistake(f"no rollup {body['name']} is there in {body['database']} by then", f"those there: {there}")


def _no_database(name: str) -> _Mistake:
    return _Mistake(f"no database {name} is there by then", f"add `create_database: {{name: {name}}}` before it")


def _no_tier(name: str, database: str, there: _Database | None) -> _Mistake:
    if there is None:
        return _no_database(database)
    fix = f"make it before with create_retention_policy; those there: {', '.join(there.tiers)}"
    return _Mistake(f"no tier {name} is there in {database} by then", fix)


_CHECKS: dict[str, _Check] = {
    "create_database": _create_database,
    "drop_database": _drop_database,
    "create_retention_policy": _create_tier,
    "alter_retention_policy": _alter_tier,
    "drop_retention_policy": _drop_tier,
    "create_rollup": _create_rollup,
    "drop_rollup": _drop_rollup,
}
