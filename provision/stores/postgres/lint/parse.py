"""Cuts and parses SQL with PostgreSQL's own parser; every statement alone, so that one mistake hides no other."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pglast import parse_sql, split
from pglast.parser import ParseError

from provision.lint.text import lead_of, lines_of
from provision.model.lint import Place, Unit, always, behind
from provision.stores.postgres.lint.inline import Inline, without_inline
from provision.stores.postgres.lint.nodes import ast

SYNTAX = "syntax"
# What psql takes for itself: the rows below COPY … FROM stdin, and lines that begin with a backslash.
_OF_PSQL = re.compile(
    r"^(?P<copy>\s*COPY\b[^;]*\bFROM\s+stdin\b[^;]*;)(?P<rows>.*?)(?:^\\\.$|\Z)|^\\[^\n]*$",
    re.IGNORECASE | re.MULTILINE | re.DOTALL,
)
_VARIABLE = re.compile(r"(?<![:\w])(?P<quote>:(?=[\"'])[\"']|:(?=[a-z_]))(?P<name>\w+)", re.IGNORECASE)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")
_ATOMIC = re.compile(r"\bBEGIN\s+ATOMIC\b", re.IGNORECASE)
_END = re.compile(r"\bEND\s*$", re.IGNORECASE)
# What a semicolon may stand in without ending a statement, or a semicolon.
_PASSED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\$\w*\$).*?\1|;", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Refused:
    """A statement that the parser refuses: what it says, and the character where."""

    what: str
    at: int


@dataclass(frozen=True, slots=True)
class Sql:
    """A parsed statement; `inline` are the indexes that were written as MySQL writes them, inside a table."""

    node: Any  # None where the parser refuses it
    refused: Refused | None = None
    inline: tuple[Inline, ...] = ()


def units(
    text: str, file: str, locate: Callable[[int], Place] | None = None, *, transactional: bool = False, start: int = 0
) -> Iterator[Unit]:
    """The statements of a script. `transactional`: it begins in a transaction of its own.

    `locate` gives the place of a character of `text`, where that is not simply counted.
    """
    inside = transactional
    at_place = locate or lines_of(text)
    plain = _plain(text)
    for piece in _cut(plain):
        begin = piece.start or 0
        written = plain[piece]
        sql = _parsed(written)
        if isinstance(sql.node, ast.TransactionStmt):
            inside = sql.node.kind.name in ("TRANS_STMT_BEGIN", "TRANS_STMT_START", "TRANS_STMT_SAVEPOINT")
        lead = lead_of(written)
        yield Unit(
            name=type(sql.node).__name__ if sql.node is not None else SYNTAX,
            body=sql,
            text=written,
            file=file,
            place=at_place(begin + lead),
            last=at_place(begin + len(written)).line,
            locate=behind(at_place, begin),
            start=start + begin if locate is None else None,
            in_transaction=inside,
        )
        yield from _inline(sql, written, file, behind(at_place, begin), inside)


def _inline(sql: Sql, text: str, file: str, place: Callable[[int], Place], inside: bool) -> Iterator[Unit]:
    """The indexes inside a table, each as the statement that its author meant."""
    for each in sql.inline:
        if each.node is not None:
            at = place(each.at)
            yield Unit("IndexStmt", Sql(each.node), text, file, at, at.line, always(at), in_transaction=inside)


def _plain(text: str) -> str:
    """The text without what psql alone understands, every character in its place."""
    # The parser would take a NUL for the end.
    return _OF_PSQL.sub(lambda found: (found["copy"] or "") + _blank(found), text.replace("\0", "\1"))


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", found[0][len(found["copy"] or "") :])


def _cut(text: str) -> list[slice]:
    # pglast counts a text that is not ASCII anew for each statement. To the scanner any such sign is a letter.
    plain = _NOT_ASCII.sub("x", text)
    try:
        return _whole([each for each in split(plain, with_parser=False, only_slices=True) if text[each].strip()], text)
    except ParseError:  # some token is none of PostgreSQL's; the statements around it are still read
        return _cut_plainly(text)


def _whole(pieces: list[slice], text: str) -> list[slice]:
    """The pieces, those of a body that is no text (BEGIN ATOMIC … END) put together again."""
    made: list[slice] = []
    inside = False  # a body has begun and not ended
    for each in pieces:
        begins = inside or _ATOMIC.search(text, each.start, each.stop) is not None
        if inside:
            made[-1] = slice(made[-1].start, each.stop)
        else:
            made.append(each)
        inside = begins and _END.search(text[each]) is None
    return made


def _cut_plainly(text: str) -> list[slice]:
    ends = [found.end() - 1 for found in _PASSED.finditer(text) if found.group() == ";"]
    begins = [0, *(end + 1 for end in ends)]
    return [slice(begin, end) for begin, end in zip(begins, [*ends, len(text)], strict=True) if text[begin:end].strip()]


def _tree(text: str) -> Any:
    """What the parser makes of it; where it refuses the text, of the text with a word for each variable of psql."""
    try:
        return parse_sql(text)
    except ParseError:
        filled = _VARIABLE.sub(lambda each: f"{each['quote'][1:]}_{each['name']}", text)
        if filled == text:
            raise
        return parse_sql(filled)


def _parsed(text: str) -> Sql:
    shorn, inline = without_inline(text)
    try:
        found = _tree(shorn)
    except ParseError as error:
        what, at = (*error.args, 0)[:2]
        return Sql(None, Refused(re.sub(r", at index \d+$", "", str(what)), int(at or 0)), inline)
    return Sql(found[0].stmt if found else None, None, inline)
