"""The words of one ClickHouse statement with their places, and edits made at those places."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from provision.stores.clickhouse.migrate.parse.lexer import lexemes

_PLAIN = re.compile(r"[A-Za-z_]\w*\Z")
_KINDS = {"double": "quoted", "backtick": "quoted", "single": "string", "heredoc": "string"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "b": "\b", "f": "\f"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word, quoted name, string, number or symbol; `value` is the name or string without its quotes."""

    kind: str
    value: str
    start: int
    end: int

    @property
    def is_name(self) -> bool:
        return self.kind in ("name", "quoted")

    def word(self) -> str:
        """The keyword this token can be, in capitals; empty for anything quoted."""
        return self.value.upper() if self.kind == "name" else ""


class Name(NamedTuple):
    """A name with the database it was written with, empty when it was written alone."""

    database: str
    name: str

    def within(self, database: str) -> Name:
        """This name, in `database` when it was written alone."""
        return self if self.database else Name(database, self.name)

    def __str__(self) -> str:
        return f"{quote(self.database)}.{quote(self.name)}" if self.database else quote(self.name)


class Edit(NamedTuple):
    """Replaces text[start:end]."""

    start: int
    end: int
    text: str


def quote(name: str) -> str:
    """`name` as ClickHouse prints it: in backticks only where it must be."""
    if _PLAIN.match(name):
        return name
    return "`" + name.replace("\\", "\\\\").replace("`", "``") + "`"


def literal(text: str) -> str:
    """`text` as a string literal."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def tokens(text: str) -> list[Token]:
    """The tokens of the first statement in `text`, comments left out."""
    found: list[Token] = []
    for each in lexemes(text):
        if each.kind == "semicolon" and found:
            break
        if each.kind in ("name", "number", "symbol"):
            found.append(Token(each.kind, each.text, each.start, each.end))
        elif each.kind in _KINDS:
            found.append(Token(_KINDS[each.kind], _unquoted(each.text), each.start, each.end))
    return found


def _unquoted(text: str) -> str:
    mark = text[0]
    if mark == "$":
        tag = text.index("$", 1) + 1
        return text[tag:-tag]
    body = text[1:-1].replace(mark * 2, mark)
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match.group(1), match.group(1)), body, flags=re.DOTALL)


def name_at(words: list[Token], index: int) -> tuple[Name, int] | None:
    """The name at `index` and the index after it, or None when no name is there."""
    if index >= len(words) or not words[index].is_name:
        return None
    first = words[index].value
    if index + 2 < len(words) and words[index + 1].value == "." and words[index + 2].is_name:
        return Name(first, words[index + 2].value), index + 3
    return Name("", first), index + 1


def read_name(text: str) -> Name:
    """The name in `text`, written as SQL writes it.

    Raises ValueError when `text` is not one name.
    """
    words = tokens(text)
    found = name_at(words, 0)
    if found is None or found[1] != len(words):
        raise ValueError(f"not a name: {text!r}")
    return found[0]


def depths(words: list[Token]) -> list[int]:
    """How many parentheses are open around each token; an opening one counts as outside, a closing one too."""
    depth, result = 0, []
    for token in words:
        if token.kind == "symbol" and token.value in ")]}":
            depth -= 1
        result.append(depth)
        if token.kind == "symbol" and token.value in "([{":
            depth += 1
    return result


def edited(text: str, edits: Iterable[Edit]) -> str:
    """`text` after `edits`, which must not overlap."""
    for edit in sorted(edits, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    return text
