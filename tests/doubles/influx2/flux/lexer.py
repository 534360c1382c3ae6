"""Flux text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.doubles.influx2.errors import Refused

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
      | (?P<time>\d{4}-\d\d-\d\d(?:T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d))?)
      | (?P<duration>(?:\d+(?:mo|ms|us|µs|ns|y|w|d|h|m|s))+)
      | (?P<float>\d+\.\d*|\.\d+)
      | (?P<int>\d+)
      | (?P<text>"(?:\\.|[^"\\])*")
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<sign>\|>|<-|=>|==|!=|<=|>=|=~|!~|[-+*/%^<>=.,:?(){}\[\]|])""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/((?:\\.|[^/\\\n])+)/")
WORDS = frozenset(("and", "or", "not", "exists", "if", "then", "else", "return", "with", "import", "package", "option"))


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is time, duration, float, int, text, regex, name, word, sign or end; `end` is where it stops."""

    kind: str
    value: str
    at: int
    end: int


def tokens(script: str) -> list[Token]:
    """Raises Refused (invalid)."""
    found: list[Token] = []
    place = 0
    while place < len(script):
        regex = _REGEX.match(script, place) if _may_begin_regex(found) else None
        match = regex or _TOKEN.match(script, place)
        if match is None:
            raise invalid(script, place, f"invalid expression: unexpected {script[place]!r}")
        kind = "regex" if regex else str(match.lastgroup)
        value = match.group(1) if regex else match.group()
        if kind == "name" and value in WORDS:
            kind = "word"
        if kind != "space":
            found.append(Token(kind, value, place, match.end()))
        place = match.end()
    return [*found, Token("end", "", len(script), len(script))]


def invalid(script: str, place: int, reason: str) -> Refused:
    line = script.count("\n", 0, place) + 1
    column = place - (script.rfind("\n", 0, place) + 1) + 1
    return Refused("invalid", f"compilation failed: error @{line}:{column}-{line}:{column + 1}: {reason}")


def _may_begin_regex(before: list[Token]) -> bool:
    """A slash after a value divides."""
    last = before[-1] if before else None
    return last is None or last.kind == "word" or (last.kind == "sign" and last.value not in (")", "]", "}"))
