"""A key of a cache that never goes."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, World

_WRITES = ("SET", "HSET", "HMSET", "LPUSH", "RPUSH", "SADD", "ZADD", "MSET", "SETNX", "HSETNX", "INCR")
_ENDING = ("EX", "PX", "EXAT", "PXAT", "KEEPTTL")


def whole(world: World) -> Iterator[Hit]:
    commands = [(each, each.body[0].upper()) for each in world.named("command") if len(each.body) > 1]
    ending = {each.body[1] for each, name in commands if name in ("EXPIRE", "PEXPIRE", "EXPIREAT", "SETEX", "GETEX")}
    told: set[str] = set()
    for unit, name in commands:
        key = unit.body[1]
        if name not in _WRITES or key in ending or key in told or {word.upper() for word in unit.body} & {*_ENDING}:
            continue
        if name == "MSET" or ending or any(part.isdigit() for part in key.split(":")):
            told.add(key)
            fix = (
                "a pipeline of SET key value EX seconds"
                if name == "MSET"
                else f"EXPIRE {key} seconds, in the same MULTI"
            )
            yield Hit(unit, f"{name} gives {key} no time to live: it stays until somebody deletes it", fix, key)


RULE = Rule("key-without-ttl", Severity.WARNING, "A key of a cache that never goes", whole=whole)
