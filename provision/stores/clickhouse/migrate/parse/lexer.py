"""Cuts a script into tokens and statements where the server's own lexer does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# Quotes are doubled or escaped with a backslash inside. A `$` is part of a word that has begun, else it may begin a
# text up to the same `$tag$`. Possessive: what is not closed must not be taken for something shorter that is.
_TOKEN = re.compile(
    r"""(?P<blank>\s++)
    |(?P<comment>(?:--|//|\#[ !])[^\n]*+)
    |(?P<block>/\*)
    |(?P<single>'(?:[^'\\]|\\.|'')*+'|‘[^’]*+’)
    |(?P<double>"(?:[^"\\]|\\.|"")*+"|“[^”]*+”)
    |(?P<backtick>`(?:[^`\\]|\\.|``)*+`)
    |(?P<heredoc>\$(?P<tag>\w*+)\$.*?\$(?P=tag)\$)
    |(?P<number>\d[\w.]*+)
    |(?P<name>[A-Za-z_][\w$]*+|\$\w[\w$]*+)
    |(?P<semicolon>;)
    |(?P<symbol>.)""",
    re.ASCII | re.DOTALL | re.VERBOSE,
)
_NESTED = re.compile(r"/\*|\*/")
_NO_CODE = ("blank", "comment")
_UNCLOSED = {"'": "a string", '"': "a quoted name", "`": "a quoted name", "‘": "a string", "“": "a quoted name"}
# Servers before 24 take any text between two dollars for a tag.
_OLD_TAG = re.compile(r"(\$[^$]*+\$)(?P<text>.*?)\1", re.DOTALL)


class Lexeme(NamedTuple):
    """One token; blanks and comments too. `kind` is a group of the lexer's expression, without `block` and `tag`."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


class Uncut(Exception):
    """Raised where it cannot be told where a statement ends; `what` in plain words, `at` the place in the text."""

    def __init__(self, what: str, at: int) -> None:
        super().__init__(what)
        self.what, self.at = what, at


def lexemes(text: str) -> Iterator[Lexeme]:
    """Every token of `text`; what is not closed comes as its first character, a symbol."""
    at = 0
    while (found := _TOKEN.match(text, at)) is not None:
        kind, end = str(found.lastgroup), found.end()
        if kind == "tag":
            kind = "heredoc"
        if kind == "block":
            kind, end = ("comment", closed) if (closed := _block_end(text, at)) else ("symbol", at + 1)
        yield Lexeme(kind, text[at:end], at)
        at = end


def cut(script: str) -> list[str]:
    """The statements of a script, without semicolons and without the blanks around them; none for comments alone.

    Raises Uncut where something is not closed, or where servers or formats would cut in different places.
    """
    statements, tokens, start = list[str](), list[Lexeme](), 0
    for each in lexemes(script):
        if each.kind == "semicolon":
            statements += _statement(script[start : each.start], tokens)
            start, tokens = each.end, []
        elif each.kind not in _NO_CODE:
            _refuse(each, script)
            tokens.append(each)
    return [*statements, *_statement(script[start:], tokens)]


def _statement(text: str, tokens: Sequence[Lexeme]) -> list[str]:
    """The text of the tokens, if there are any. Raises Uncut for data whose end the format decides."""
    at = _format_at(tokens)
    if at and at + 1 < len(tokens) and not tokens[at].text.upper().startswith(("VALUES", "JSON")):
        raise Uncut(f"only the format {tokens[at].text} knows where these data end", tokens[at + 1].start)
    return [text.strip()] if tokens else []


def _format_at(tokens: Sequence[Lexeme]) -> int:
    """Where an INSERT of data names their format; 0 where it does not."""
    words = [each.text.upper() for each in tokens[:1]]
    depth = 0
    for at, each in enumerate(tokens if words == ["INSERT"] else ()):
        depth += (each.text in ("(", "[", "{")) - (each.text in (")", "]", "}"))
        word = each.text.upper() if depth == 0 and each.kind == "name" else ""
        if word in ("SELECT", "WITH", "VALUES"):
            return 0
        if word == "FORMAT" and tokens[at - 1].text.upper() not in (".", "INTO", "TABLE"):
            return at + 1
    return 0


def _block_end(text: str, start: int) -> int:
    """Where a comment with comments in it ends; 0 where it does not."""
    depth = 0
    for mark in _NESTED.finditer(text, start):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()
    return 0


def _refuse(token: Lexeme, script: str) -> None:
    """Raises Uncut for a token behind which the rest of the script cannot be cut."""
    if token.kind == "symbol" and (token.text in _UNCLOSED or script.startswith("/*", token.start)):
        what = _UNCLOSED.get(token.text, "a comment")
        raise Uncut(f"{what} that begins here is not closed", token.start)
    if token.text.startswith("$") and token.kind != "heredoc":
        older = _OLD_TAG.match(script, token.start)
        if older is not None and ";" in older.group():
            raise Uncut("servers older than 24 take the text between these dollars for a string", token.start)
