"""InfluxQL in a form that is equal for equal statements, however their names are quoted and their durations written."""

from __future__ import annotations

import re

from provision.text.durations import nanoseconds

Token = tuple[str, str]

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | "(?P<quoted>(?:[^"\\]|\\.)*)"
  | '(?P<text>(?:[^'\\]|\\.)*)'
  | (?P<duration>(?:\d+(?:ns|ms|u|µ|s|m|h|d|w))+)(?!\w)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<word>[^\W\d]\w*)
  | (?P<sign>::|=~|!~|<>|!=|<=|>=|.)
    """,
    re.VERBOSE | re.DOTALL,
)
# Of those that a continuous query can hold; a name that is one of them is always quoted, by the server too.
_WORDS = "AND AS BEGIN BY CONTINUOUS CREATE END EVERY FILL FOR FROM GROUP INTO ON OR QUERY RESAMPLE SELECT WHERE"
_KEYWORDS = frozenset(_WORDS.split())


def canonical(statement: str) -> list[Token]:
    """The words of a statement: names without quotes, durations in nanoseconds, keywords in capitals."""
    return [token for token in map(_token, _TOKEN.finditer(statement)) if token is not None]


def _token(match: re.Match[str]) -> Token | None:
    kind = match.lastgroup or ""
    value = match[kind]
    if kind == "space":
        return None
    if kind in ("quoted", "text"):
        return "name" if kind == "quoted" else "text", re.sub(r"\\(.)", r"\1", value)
    if kind == "duration":
        return "duration", str(nanoseconds(value))
    if kind == "word":
        return ("keyword", value.upper()) if value.upper() in _KEYWORDS else ("name", value)
    return kind, value
