"""What a script of Lua asks of the server that runs it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from provision.model.lint import Unit

_SCRIPTS = {("EVAL",): 1, ("EVAL_RO",): 1, ("SCRIPT", "LOAD"): 2, ("FUNCTION", "LOAD"): -1}
_ALIAS = re.compile(r"\blocal\s+(\w+)\s*=\s*(?:redis|server)\.p?call\b")
_LOOP = re.compile(r"\b(?:while|repeat|for)\b")


class Call(NamedTuple):
    """A command that a script sends; `looped` where a loop begins above it."""

    command: str
    arguments: str
    looped: bool


def scripts(unit: Unit) -> Iterator[str]:
    """The Lua that a command or an operation brings."""
    if unit.name == "function":
        yield str(unit.body["code"])
    elif unit.name == "command":
        words = [each.upper() for each in unit.body[:2]]
        for command, at in _SCRIPTS.items():
            if tuple(words[: len(command)]) == command and len(unit.body) > max(at, len(command)):
                yield unit.body[at]


def calls(code: str) -> Iterator[Call]:
    """The calls of commands whose name stands in the script, but for those in its comments and texts."""
    names = "|".join(("p?call", *map(re.escape, _ALIAS.findall(code))))
    sign = re.compile(
        rf"\b(?:{names})\s*\(\s*(?P<quote>[\"'])(?P<command>\w+)(?P=quote)(?P<rest>[^)]*)"
        r"|--\[(?P<long>=*)\[.*?\](?P=long)\]|--[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'",
        re.DOTALL,
    )
    bare = []
    for found in sign.finditer(code):
        bare.append(found)
        if found["command"]:
            yield Call(found["command"].upper(), found["rest"], _in_loop(code, found.start(), bare))


def _in_loop(code: str, end: int, passed: list[re.Match[str]]) -> bool:
    """Whether a word that begins a loop stands above, in no comment and no text."""
    spans = [each.span() for each in passed]
    return any(not any(a <= found.start() < b for a, b in spans) for found in _LOOP.finditer(code, 0, end))
