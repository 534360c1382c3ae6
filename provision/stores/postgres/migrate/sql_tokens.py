"""The words of PostgreSQL's SQL: a text cut into statements, comments left out. No driver."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_PART = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<comment>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z))
  | (?P<string>(?:[bBxXnN]|[uU]&)?'(?:[^']|'')*(?:'|\Z))
  | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*(?:"|\Z))
  | (?P<dollar>\$(?P<tag>(?:[^\W\d]\w*)?)\$.*?(?:\$(?P=tag)\$|\Z))
  | (?P<name>[^\W\d][\w$]*)
  | (?P<number>\d[\w.]*|\$\d+)
  | (?P<symbol>\|\||::|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT = re.compile(r"/\*|\*/")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}


class SqlToken(NamedTuple):
    """A word, quoted name, string, number or symbol; `value` is a name or string as the server takes it.

    `kind` is one of name, quoted, string, number, symbol.
    """

    kind: str
    value: str

    @property
    def is_name(self) -> bool:
        return self.kind in ("name", "quoted")

    @property
    def word(self) -> str:
        """The keyword this can be, in capitals; empty for anything quoted."""
        return self.value.upper() if self.kind == "name" else ""


def tokens(text: str) -> list[SqlToken]:
    """Every token of the text. Nothing is raised: what is not closed goes on to the end, as it does on the server."""
    found: list[SqlToken] = []
    place = 0
    while place < len(text) and (match := _PART.match(text, place)) is not None:
        place = match.end()
        kind = str(match.lastgroup)
        if kind == "comment":
            place = _after_comment(text, place)
        elif kind != "space":
            found.append(_token("dollar" if match["dollar"] else kind, match))
    return found


def one_spaced(text: str) -> str:
    """The text with one space for all white space and comments between two tokens, and none at its ends."""
    if "\n" not in text and "  " not in text and "--" not in text and "/*" not in text:
        return text.strip()
    parts: list[str] = []
    place = 0
    while place < len(text) and (match := _PART.match(text, place)) is not None:
        place = match.end()
        if match.lastgroup == "comment":
            place = _after_comment(text, place)
        spaced = match.lastgroup in ("comment", "space")
        parts.append(" " if spaced else match[0])
    return "".join(
        each for before, each in zip(["", *parts], parts, strict=False) if (before, each) != (" ", " ")
    ).strip()


def statements(text: str) -> list[list[SqlToken]]:
    """The tokens of each statement, without the semicolons; empty ones are left out."""
    listed: list[list[SqlToken]] = [[]]
    ends = 0  # how many END a body in plain SQL still waits for
    for token in tokens(text):
        ends += _opens(token, listed[-1], ends)
        if token.value == ";" and token.kind == "symbol" and not ends:
            listed.append([])
        else:
            listed[-1].append(token)
    return [each for each in listed if each]


def several(text: str) -> bool:
    """Whether the text may hold more than one statement: one with a semicolon in a string counts as several."""
    return ";" in text.rstrip("; \n\t")


def split(listed: list[SqlToken], at: str) -> Iterator[list[SqlToken]]:
    """The tokens between the symbols `at` that stand outside parentheses."""
    depth, part = 0, list[SqlToken]()
    for token in listed:
        if token.kind == "symbol":
            depth += (token.value in "([") - (token.value in ")]")
            if token.value == at and depth == 0:
                yield part
                part = []
                continue
        part.append(token)
    yield part


def _opens(token: SqlToken, before: list[SqlToken], ends: int) -> int:
    if ends and token.word in ("CASE", "END"):
        return 1 if token.word == "CASE" else -1
    starts = not ends and token.word == "ATOMIC" and before and before[-1].word == "BEGIN"
    return 1 if starts and before[0].word == "CREATE" else 0


def _after_comment(text: str, place: int) -> int:
    """Where a block comment ends; they nest."""
    depth = 1
    while depth and (mark := _COMMENT.search(text, place)) is not None:
        depth += 1 if mark[0] == "/*" else -1
        place = mark.end()
    return len(text) if depth else place


def _token(kind: str, match: re.Match[str]) -> SqlToken:
    text = match[0]
    if kind == "escaped":
        body = _ESCAPE.sub(lambda each: _ESCAPES.get(each[1], each[1]), text[2:].removesuffix("'"))
        return SqlToken("string", body.replace("''", "'"))
    if kind == "string":
        return SqlToken("string", text[text.index("'") + 1 :].removesuffix("'").replace("''", "'"))
    if kind == "quoted":
        return SqlToken("quoted", text[text.index('"') + 1 :].removesuffix('"').replace('""', '"'))
    if kind == "dollar":
        mark = f"${match['tag']}$"
        return SqlToken("string", text[len(mark) :].removesuffix(mark))
    return SqlToken(kind, text.lower() if kind == "name" else text)
