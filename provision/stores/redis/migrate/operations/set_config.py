"""`set_config`: CONFIG SET, with the value it found kept for the way down.

The setting lasts until the server restarts: CONFIG REWRITE is not called, since the file belongs to whoever runs it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from provision.documents.operation import Body, Stopped, mapping
from provision.model import Event
from provision.model.statements import Fate, Outcome
from provision.stores.redis.fence import Command
from provision.stores.redis.migrate.operations.base import Live, RedisOperation
from provision.stores.redis.names import Keys

_SECRET = ["requirepass", "masterauth", "masteruser", "tls-key-file-pass", "tls-client-key-file-pass"]
PARAMETER = {
    "allOf": [
        {"type": "string", "pattern": "^[a-z][a-z0-9-]*$", "description": "a parameter of redis.conf in lower case"},
        {"not": {"enum": _SECRET}, "description": "secrets in redis.conf, not in a migration"},
    ],
}
_SIZE = re.compile(r"(\d+)(k|kb|m|mb|g|gb|b)?", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 10**3, "kb": 2**10, "m": 10**6, "mb": 2**20, "g": 10**9, "gb": 2**30}
_EVENTS = "g$lshzxetd"


class SetConfig(RedisOperation):
    name = "set_config"
    schema = mapping(
        ["parameter", "value"],
        parameter=PARAMETER,
        value={"type": ["string", "integer"], "description": "text or a whole number, as in redis.conf"},
    )

    def summary(self, body: Body) -> str:
        return f"set {body['parameter']} to {body['value']}"

    def commands(self, body: Body, _keys: Keys) -> Sequence[Command]:
        return [("CONFIG", "SET", body["parameter"], str(body["value"]))]

    def probe(self, body: Body, live: Live) -> Fate:
        parameter = body["parameter"]
        found = setting(live, parameter)
        if found is None:
            return Fate(Outcome.DIFFERENT, f"this server has no parameter {parameter}")
        done = same(parameter, str(body["value"]), found)
        return Fate(Outcome.DONE if done else Outcome.NOT_DONE, f"{parameter} is {found}")

    def run(self, body: Body, live: Live, event: Event) -> None:
        """CONFIG is not for scripts: the old value first, then the setting, then the event; the probe can tell."""
        parameter = body["parameter"]
        fate, found = self.probe(body, live), setting(live, parameter)
        if fate.outcome is Outcome.DIFFERENT or found is None:
            raise Stopped(fate.reason)
        if fate.outcome is Outcome.DONE:
            live.fence.apply([("HSETNX", live.keys.config_before, parameter, found)], event)
        else:
            live.fence.batch([("HSET", live.keys.config_before, parameter, found)], event)
            live.fence.transaction(self.commands(body, live.keys), event)

    def inverse(self, body: Body) -> tuple[str, Body]:
        return "restore_config", {"parameter": body["parameter"]}

    def altered(self, _before: Body, after: Body) -> Sequence[tuple[str, Body]]:
        return ((self.name, after),)


def setting(live: Live, parameter: str) -> str | None:
    """The value in force, or None for a parameter that the server does not know."""
    answer: str | None = live.server.pairs("CONFIG", "GET", parameter).get(parameter)
    return answer


def same(parameter: str, one: str, other: str) -> bool:
    """True when the server takes both texts for the same value: `100mb` and `104857600`, `KEA` and `AKE`."""
    if parameter == "notify-keyspace-events":
        return set(one.replace("A", _EVENTS)) == set(other.replace("A", _EVENTS))
    sizes = [_SIZE.fullmatch(text) for text in (one, other)]
    if sizes[0] and sizes[1]:
        left, right = (int(size[1]) * _UNITS[(size[2] or "").lower()] for size in sizes if size)
        return left == right
    return one.lower() == other.lower() if {one.lower(), other.lower()} <= {"yes", "no"} else one == other
