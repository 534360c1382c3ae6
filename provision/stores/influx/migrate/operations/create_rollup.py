"""`create_rollup`: points of one tier summed up into another, by a continuous query of 1.x or a task of 2.x."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from provision.documents.operation import Body, Problem, mapping, renewed
from provision.model.statements import Fate, Outcome
from provision.stores.influx.migrate.model import FUNCTIONS, Rollup, seconds
from provision.stores.influx.migrate.operations.base import DATABASE, NAME, SPAN, InfluxOperation
from provision.stores.influx.migrate.world import InfluxWorld, no_database, out_of_reach
from provision.stores.influx.server import Server

# Quotation and parentheses would end a call early.
_WORD = r"[^\"\\()/\u0000-\u001f\u007f]+"
_CALL = rf"({'|'.join(FUNCTIONS)})\({_WORD}\)"
_FRACTION = rf"{_CALL} */ *{_CALL}"
_MEASUREMENT = {
    "type": "string",
    "pattern": r"^[^\"\\\u0000-\u001f\u007f]+$",
    "description": 'a name without " \\ and control characters',
}
_TAG = {"type": "string", "pattern": f"^{_WORD}$", "description": "the name of a tag"}
_PLACE = mapping(["tier", "measurement"], tier=NAME, measurement=_MEASUREMENT)


class CreateRollup(InfluxOperation):
    name = "create_rollup"
    schema = mapping(
        ["database", "name", "from", "into", "every", "fields", "group_by"],
        database=DATABASE,
        name=NAME,
        **{
            "from": {**_PLACE, "description": "the tier and measurement that it reads"},
            "into": {**_PLACE, "description": "the tier and measurement that it writes"},
        },
        every={**SPAN, "description": "the length of a window: a duration such as 1m, 1h, 1d"},
        late={**SPAN, "description": "how late a point may come and still be counted: a duration such as 10m"},
        runs={**SPAN, "description": "how often it runs, in whole windows; else as often as a window ends"},
        offset={**SPAN, "description": "how long after a window's end a 2.x task waits: a duration such as 30s"},
        fields={
            "type": "object",
            "minProperties": 1,
            "description": "a mapping of the fields that it writes to what they hold",
            "propertyNames": {"pattern": f"^{_WORD}$"},
            "additionalProperties": {
                "type": "string",
                "pattern": rf"^({_CALL}|{_FRACTION}|sqrt\({_FRACTION}\))$",
                "description": f"a function of a field such as sum(value) or sum(value::integer), one divided by"
                f" another, or the sqrt(…) of that; functions: {', '.join(FUNCTIONS)}",
            },
        },
        group_by={
            "anyOf": [{"const": "*"}, {"type": "array", "uniqueItems": True, "items": _TAG}],
            "description": 'a list of the tags to keep, or "*" for every one',
        },
    )

    def summary(self, body: Body) -> str:
        source, target = (f"{body[side]['tier']}.{body[side]['measurement']}" for side in ("from", "into"))
        return f"rollup {body['name']} of {body['database']}: {source} → {target} every {body['every']}"

    def text(self, body: Body) -> str:
        return self.words.create_rollup(Rollup.of(body))

    def probe(self, body: Body, live: Server) -> Fate:
        name = f"{body['name']} of {body['database']}"
        differs = live.difference(Rollup.of(body))
        if differs is None:
            return Fate(Outcome.NOT_DONE, f"there is no rollup {name}")
        return Fate(Outcome.DIFFERENT, differs) if differs else Fate(Outcome.DONE, f"rollup {name} is there")

    def run(self, body: Body, live: Server) -> None:
        live.create_rollup(Rollup.of(body))

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_rollup", {"database": body["database"], "name": body["name"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return renewed(self, before, after)

    def problems(self, body: Body) -> Iterable[Problem]:
        if body["from"] == body["into"]:
            yield Problem("into", "the rollup writes where it reads", "name another tier or measurement")
        if "runs" in body and (seconds(body["runs"]) or 1) % (seconds(body["every"]) or 1):
            what = f"runs {body['runs']} is no multiple of every {body['every']}"
            yield Problem("runs", what, "let it run once in so many whole windows")

    def effect(self, world: InfluxWorld, body: Body) -> Iterator[Problem]:
        rollup, database = Rollup.of(body), world.databases.get(body["database"])
        if database is None:
            yield no_database(rollup.database)
            return
        if rollup.name in database.rollups:
            first = database.rollup_places[rollup.name]
            fix = "name it otherwise, or delete the first with drop_rollup"
            yield Problem((), f"rollup {rollup.name} of {rollup.database} is made twice, first by {first}", fix)
            return
        missing = [each for each in (rollup.source.tier, rollup.target.tier) if each not in database.tiers]
        for tier in dict.fromkeys(missing):
            yield world.no_tier(tier, rollup.database)
        if not missing:
            yield from out_of_reach(rollup, database.tiers[rollup.source.tier])
        database.rollups[rollup.name] = rollup
        database.rollup_places[rollup.name] = world.place
