"""AQL text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tests.doubles.arango.errors import Refused

_KEYWORDS = """
AGGREGATE ALL ALL_SHORTEST_PATHS AND ANY ASC COLLECT DESC DISTINCT FALSE FILTER FOR GRAPH IN INBOUND INSERT INTO K_PATHS
K_SHORTEST_PATHS LET LIKE LIMIT NONE NOT NULL OR OUTBOUND REMOVE REPLACE RETURN SHORTEST_PATH SORT TRUE UPDATE UPSERT
WINDOW WITH
"""
KEYWORDS = frozenset(_KEYWORDS.split())
_TOKEN = re.compile(
    r"""(?P<space>\s+|/\*.*?\*/|//[^\n]*)
      | (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.(?!\.)\d*|\.\d+|\d+)(?:[eE][+-]?\d+)?)
      | (?P<source>@@[A-Za-z0-9_]+)
      | (?P<bind>@[A-Za-z0-9_]+)
      | (?P<quoted>`[^`]+`|´[^´]+´)
      | (?P<name>[A-Za-z_$][A-Za-z0-9_$]*(?:::[A-Za-z_$][A-Za-z0-9_$]*)*)
      | (?P<sign>\.\.\.|\.\.|==|!=|<=|>=|=~|!~|&&|\|\||[-+*/%<>=!?:.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is text, number, source, bind, name, word (a keyword, upper case), sign or end."""

    kind: str
    value: str
    at: int


def tokens(query: str) -> list[Token]:
    """Raises Refused (1501, 1502)."""
    found, position = [], 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise unexpected(query, position)
        kind, value = str(match.lastgroup), match.group()
        if kind == "name" and value.upper() in KEYWORDS:
            kind, value = "word", value.upper()
        elif kind == "quoted":
            kind, value = "name", value[1:-1]
        elif kind == "text":
            value = re.sub(r"\\(u[0-9a-fA-F]{4}|.)", _escaped, value[1:-1], flags=re.DOTALL)
        if kind != "space":
            found.append(Token(kind, value, position))
        position = match.end()
    if not found:
        raise Refused(1502)
    return [*found, Token("end", "", len(query))]


def unexpected(query: str, position: int) -> Refused:
    line = query.count("\n", 0, position) + 1
    column = position - (query.rfind("\n", 0, position) + 1) + 1
    near = query[position : position + 40].replace("\n", " ") or "end of query string"
    return Refused(1501, f"AQL: syntax error, unexpected input near '{near}' at position {line}:{column}")


def _escaped(match: re.Match[str]) -> str:
    code = match.group(1)
    return chr(int(code[1:], 16)) if len(code) == 5 else _ESCAPES.get(code, code)
