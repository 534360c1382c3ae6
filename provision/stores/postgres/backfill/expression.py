"""Whether a text is one expression: what the server reads between two parentheses of ours, and nothing beyond."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provision.errors import ConfigError
from provision.stores.postgres.migrate.sql_tokens import SqlToken, tokens

_CLOSES = {")": "(", "]": "["}


def not_one(subject: str, text: str, where: str) -> Iterator[ConfigError]:
    """The error for a text that is not one expression, or that compares with NULL.

    That it is an expression says the server. Strings and comments are read as it reads them.
    """
    *found, last = tokens(f"{text}\n)")
    if (last.kind, last.value) != ("symbol", ")"):  # what is not closed swallowed it
        why = "a string, a quoted name or a comment is not closed"
    else:
        why = _flaw(found)
    if why:
        what = f"{subject} is not one expression: {why}"
        yield ConfigError("bad-expression", what, where=where, fix="write one SQL expression")
    elif sign := _compared_with_null(found):
        what = f"{subject}: `{sign} NULL` is never true"
        fix = "write IS NULL" if sign == "=" else "write IS NOT NULL"
        yield ConfigError("bad-expression", what, where=where, fix=fix)


def _flaw(found: Sequence[SqlToken]) -> str:
    """What would leave the parentheses around it, for people; empty where nothing does."""
    opened: list[str] = []
    if not found:
        return "it is empty"
    for token in found:
        if token.kind != "symbol":
            continue
        if token.value == ";":
            return "a ; ends it before its end"
        if token.value in _CLOSES.values():
            opened.append(token.value)
        elif token.value in _CLOSES and (not opened or opened.pop() != _CLOSES[token.value]):
            return f"a {token.value} closes what it did not open"
    return f"a {opened[-1]} is not closed" if opened else ""


def _compared_with_null(found: Sequence[SqlToken]) -> str:
    """The sign that compares with NULL: no row would be found, and nothing said of it."""
    for before, sign, beyond in zip(found, found[1:], found[2:], strict=False):
        written = (before.value if before.kind == "symbol" and before.value in "!<>=" else "") + sign.value
        if sign.kind == "symbol" and written in ("=", "<>", "!=") and beyond.word == "NULL":
            return written
    return ""
