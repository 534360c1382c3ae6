"""One key, used as two types."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, World

_OF = {
    "hash": ("HSET", "HMSET", "HGET", "HGETALL", "HINCRBY"),
    "string": ("SET", "SETEX", "GET", "INCR"),
    "list": ("LPUSH", "RPUSH", "LRANGE", "LTRIM"),
    "set": ("SADD", "SMEMBERS"),
    "sorted set": ("ZADD", "ZRANGE"),
    "stream": ("XADD", "XREADGROUP"),
}
_TYPES = {command: kind for kind, commands in _OF.items() for command in commands}


def whole(world: World) -> Iterator[Hit]:
    seen: dict[str, str] = {}
    for unit in world.named("command"):
        kind = _TYPES.get(unit.body[0].upper()) if len(unit.body) > 1 else None
        if kind is None:
            continue
        before = seen.setdefault(unit.body[1], kind)
        if before != kind and unit.body[0].upper() != "SET":
            what = f"{unit.body[1]} is a {before} above and a {kind} here: WRONGTYPE"
            yield Hit(unit, what, "one type for a key; another key for the other", unit.body[1])


RULE = Rule("key-of-two-types", Severity.ERROR, "One key, used as two types", whole=whole)
