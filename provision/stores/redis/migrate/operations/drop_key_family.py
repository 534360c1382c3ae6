"""`drop_key_family`: takes a key family out of the catalogue; the keys themselves stay until they expire."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provision.documents.operation import Body, Problem, mapping
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import NAME, Live, RedisOperation
from provision.stores.redis.migrate.world import RedisWorld
from provision.stores.redis.names import Keys


class DropKeyFamily(RedisOperation):
    name = "drop_key_family"
    schema = mapping(["name"], name=NAME)

    def summary(self, body: Body) -> str:
        return f"take key family {body['name']} out of the catalogue"

    def commands(self, body: Body, keys: Keys) -> Sequence[Command]:
        return [("HDEL", keys.families, body["name"])]

    def probe(self, body: Body, live: Live) -> Fate:
        if live.catalogued(live.keys.families, body["name"]) is None:
            return Fate(Outcome.DONE, f"the catalogue has no key family {body['name']}")
        return Fate(Outcome.NOT_DONE, f"the catalogue still has key family {body['name']}")

    def effect(self, world: RedisWorld, body: Body) -> Iterable[Problem]:
        world.families.pop(body["name"], None)
        return ()
