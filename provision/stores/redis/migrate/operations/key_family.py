"""`key_family`: says in the catalogue which keys an application keeps, of which type, and for how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provision.documents.operation import Body, Problem, mapping, renewed
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import (
    FIELDS,
    NAME,
    TEXT,
    Live,
    RedisOperation,
    canonical,
    difference,
)
from provision.stores.redis.migrate.world import RedisWorld
from provision.stores.redis.names import Keys
from provision.stores.redis.patterns import PLACEHOLDER, families_overlap
from provision.text.durations import DURATION, seconds

_SEGMENT = r"([A-Za-z0-9_.-]|\{[a-z][a-z0-9_]*\})+"
_TTL = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {"type": "string", "pattern": DURATION},
        {"const": "none"},
    ],
    "description": "seconds, a duration such as 15m, 2h or 1d, or none",
}


class KeyFamily(RedisOperation):
    """Families may not share a key: a pattern that overlaps another one's is refused."""

    name = "key_family"
    schema = mapping(
        ["name", "pattern", "type", "ttl", "owner", "description"],
        name=NAME,
        pattern={
            "type": "string",
            "pattern": rf"^(?!provision:){_SEGMENT}(:{_SEGMENT})*$",
            "description": "a key with {placeholders} between colons, such as vfr:{tenant_id}:prefs:{user_id}",
        },
        type={"enum": ["string", "json", "hash", "list", "set", "zset", "stream"]},
        ttl=_TTL,
        tenant={"type": "string", "description": "the placeholder that holds the tenant"},
        fields=FIELDS,
        owner=TEXT,
        description=TEXT,
    )

    def summary(self, body: Body) -> str:
        return f"key family {body['name']}: {body['pattern']} ({body['type']}, ttl {body['ttl']})"

    def commands(self, body: Body, keys: Keys) -> Sequence[Command]:
        return [("HSET", keys.families, body["name"], canonical(entry(body)))]

    def probe(self, body: Body, live: Live) -> Fate:
        found = live.catalogued(live.keys.families, body["name"])
        if found is not None:
            differs = difference(f"key family {body['name']}", entry(body), found)
            return Fate(Outcome.DIFFERENT, differs) if differs else Fate(Outcome.DONE, "the catalogue has it")
        for name in live.server.call("HKEYS", live.keys.families):
            other = live.catalogued(live.keys.families, name) or {}
            if families_overlap(body["pattern"], other.get("pattern", "")):
                return Fate(
                    Outcome.DIFFERENT, f"{body['pattern']} overlaps key family {name}, which is {other['pattern']}"
                )
        return Fate(Outcome.NOT_DONE, f"the catalogue has no key family {body['name']}")

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "drop_key_family", {"name": body["name"]}

    def altered(self, before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return renewed(self, before, after)

    def problems(self, body: Body) -> Iterable[Problem]:
        names = PLACEHOLDER.findall(body["pattern"])
        if "tenant" in body and body["tenant"] not in names:
            yield Problem(
                "tenant",
                f"the pattern of {body['name']} has no placeholder {{{body['tenant']}}}",
                f"name one of {', '.join(names)}" if names else "add it to the pattern",
            )
        if "fields" in body and body["type"] not in ("json", "hash", "stream"):
            yield Problem("fields", f"a {body['type']} has no fields", "remove them, or correct the type")

    def effect(self, world: RedisWorld, body: Body) -> Iterator[Problem]:
        """Refuses a family that could share a key with one that is there."""
        name, pattern = body["name"], body["pattern"]
        for other, (theirs, place) in world.families.items():
            if other == name or families_overlap(pattern, theirs):
                what = f"key family {name} ({pattern}) overlaps {other} ({theirs}) of {place}"
                yield Problem((), what, "change a segment so that no key is in both")
        world.families[name] = pattern, world.place


def entry(body: Body) -> dict[str, Any]:
    """What the catalogue keeps: the body, its ttl in seconds (null for none)."""
    ttl = None if body["ttl"] == "none" else seconds(body["ttl"])
    return {**{key: value for key, value in body.items() if key != "name"}, "ttl": ttl}
