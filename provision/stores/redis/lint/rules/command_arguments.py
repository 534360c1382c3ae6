"""A command without what it needs."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World

_LEAST = {
    "HSET": 4,
    "HMSET": 4,
    "SET": 3,
    "SETEX": 4,
    "MSET": 3,
    "EXPIRE": 3,
    "LPUSH": 3,
    "RPUSH": 3,
    "SADD": 3,
    "ZADD": 4,
    "XADD": 5,
}


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name != "command":
        return
    words = unit.body
    name = words[0].upper()
    if unit.text[:1] in "\"'":
        what = f"a command ends with its line: {words[0]!r} is read as a command of its own"
        yield Hit(unit, what, "write the command and all its arguments on one line", words[0])
    elif len(words) < _LEAST.get(name, 0) or (
        name in ("HSET", "MSET") and len(words) % 2 != (0 if name == "HSET" else 1)
    ):
        yield Hit(
            unit,
            f"wrong number of arguments for '{name.lower()}'",
            "one line for a command: HSET key field value …",
            name,
        )


RULE = Rule("command-arguments", Severity.ERROR, "A command without what it needs", check)
