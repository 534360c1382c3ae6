"""Indexes written inside CREATE TABLE, as MySQL has them: taken out of the text, and read as what they mean."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from pglast import parse_sql, scan
from pglast.parser import ParseError

from provision.lint.text import blanked, lead_of


class Inline(NamedTuple):
    """`INDEX name (columns) …` at a character of the statement; `node` is the index that it means, if that parses."""

    name: str
    at: int
    node: Any


_TABLE = re.compile(r"\s*CREATE\b.*?\bTABLE\b", re.IGNORECASE | re.DOTALL)
_ELEMENT = re.compile(
    r"(?P<unique>UNIQUE\s+)?(?:INDEX|KEY)\s+(?P<name>\"[^\"]+\"|\w+)\s*(?P<columns>\(.*\))"
    r"(?P<method>\s*USING\s+\w+)?(?P<rest>.*)",
    re.IGNORECASE | re.DOTALL,
)
_MODIFIERS = re.compile(r"\([\s\d,]*\)")  # `key varchar(250)` is a column


def without_inline(text: str) -> tuple[str, tuple[Inline, ...]]:
    """The statement with such indexes replaced by blanks, and the indexes."""
    if "index" not in text.lower() and not re.search(r"\bkey\s+\w+\s*\(", text, re.IGNORECASE):
        return text, ()
    begin = lead_of(text)
    if not _TABLE.match(text, begin):
        return text, ()
    try:
        elements = _elements(text)
    except ParseError:
        return text, ()
    table = re.search(r"TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.\"]+)", text[begin:], re.IGNORECASE)
    found, shorn = list[Inline](), text
    for start, end, comma in elements:
        element = _ELEMENT.fullmatch(text[start:end].rstrip())
        if element is None or table is None or _MODIFIERS.match(element["columns"]):
            continue
        shorn = blanked(blanked(shorn, start, end), comma, comma + 1) if comma >= 0 else blanked(shorn, start, end)
        found.append(Inline(element["name"].strip('"'), start, _node(element, table[1])))
    return shorn, tuple(found)


def _node(element: re.Match[str], table: str) -> Any:
    columns, rest = _balanced(element["columns"] + (element["method"] or "") + element["rest"])
    method = re.match(r"\s*(USING\s+\w+)", rest, re.IGNORECASE)
    tail = rest[method.end() :] if method else rest
    unique = "UNIQUE " if element["unique"] else ""
    sql = f"CREATE {unique}INDEX {element['name']} ON {table} {method[1] if method else ''} {columns} {tail}"
    try:
        return parse_sql(sql)[0].stmt
    except ParseError:
        return None


def _balanced(text: str) -> tuple[str, str]:
    """The first parenthesis with what it holds, and the rest."""
    depth = 0
    for at, sign in enumerate(text):
        depth += (sign == "(") - (sign == ")")
        if depth == 0:
            return text[: at + 1], text[at + 1 :]
    return text, ""


def _elements(text: str) -> list[tuple[int, int, int]]:
    """Start, end and comma of each element of the outermost parenthesis; the comma before it, else behind, else -1."""
    depth, start, found = 0, -1, list[tuple[int, int]]()
    tokens = [each for each in scan(text) if "COMMENT" not in each.name]
    commas: list[int] = []
    for each in tokens:
        if text[each.start] == "(":
            depth += 1
            if depth == 1 and start < 0 and not found:
                continue
        elif text[each.start] == ")":
            depth -= 1
            if depth == 0:
                if start >= 0:
                    found.append((start, each.start))
                break
        elif text[each.start] == "," and depth == 1:
            found.append((start, each.start))
            commas.append(each.start)
            start = -1
            continue
        if depth >= 1 and start < 0:
            start = each.start
    return [
        (begin, _trimmed(text, begin, end), commas[at - 1] if at else (commas[0] if commas else -1))
        for at, (begin, end) in enumerate(found)
    ]


def _trimmed(text: str, begin: int, end: int) -> int:
    """The end of an element without the comments behind it."""
    last = begin
    for each in scan(text[begin:end]):
        if "COMMENT" not in each.name:
            last = begin + each.end + 1
    return last
