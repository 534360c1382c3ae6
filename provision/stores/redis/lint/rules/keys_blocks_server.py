"""KEYS stops the whole server, and so does a script that reads as much."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World
from provision.stores.redis.lint.lua import Call, calls, scripts

_ALL_OF_A_KEY = frozenset(("SMEMBERS", "HGETALL", "HKEYS", "HVALS", "SORT", "SORT_RO"))
_RANGES = frozenset(("LRANGE", "ZRANGE", "ZREVRANGE"))
_WHOLE = ("0", "-1")


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name == "command" and unit.body[0].upper() == "KEYS":
        what = "KEYS reads every key while nobody else is served: 150 ms for a million keys"
        yield Hit(unit, what, "SCAN; or EXISTS, where the key is known", unit.body[-1])
    told: set[str] = set()
    for each in (call for code in scripts(unit) for call in calls(code)):
        if each.command not in told:
            told.add(each.command)
            yield from _in_script(unit, each)


def _in_script(unit: Unit, call: Call) -> Iterator[Hit]:
    place = unit.part("code") if unit.name == "function" else None
    if call.command == "KEYS" or (call.command == "SCAN" and call.looped):
        what = f"the script reads every key by {call.command}, and nobody else is served until it has ended"
        yield Hit(unit, what, "SCAN from the program, one step a call", call.command, place)
    elif call.command in _ALL_OF_A_KEY or (call.command in _RANGES and _whole(call.arguments)):
        what = f"the script reads all of a key by {call.command}; while it does, nobody else is served"
        fix = "read it in steps (SSCAN, HSCAN, ZSCAN, LRANGE of a part) from the program"
        yield Hit(unit, what, fix, call.command, place, level=Severity.WARNING)


def _whole(arguments: str) -> bool:
    words = [each.strip().strip("\"'") for each in arguments.split(",")]
    return tuple(words[2:4]) == _WHOLE


RULE = Rule("keys-blocks-server", Severity.ERROR, "KEYS stops the whole server", check)
