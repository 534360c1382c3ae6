"""AQL expressions: tokens to a tree of tuples, whose first member names the node.

("value", v) ("bind", name) ("source", name) ("name", n) ("get", of, name) ("at", of, index)
("each", of, depth, (filter, return), then) ("call", name, args) ("not"|"neg", of) ("op", sign, left, right)
("compare", quantifier, sign, left, right) ("range", low, high) ("if", test, yes, no) ("list", members)
("object", pairs) ("query", clauses)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.doubles.arango.aql.lexer import Token, unexpected
from tests.doubles.arango.aql.lexer import tokens as split

Node = tuple[Any, ...]
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("||", "OR"),
    ("&&", "AND"),
    ("==", "!=", "=~", "!~", "LIKE", "NOT LIKE"),
    ("IN", "NOT IN"),
    ("<", "<=", ">", ">="),
    ("..",),
    ("+", "-"),
    ("*", "/", "%"),
)
_CONSTANTS: dict[str, Any] = {"NULL": None, "TRUE": True, "FALSE": False}
_QUANTIFIERS = ("ALL", "ANY", "NONE")


class Tokens:
    """A place in the tokens of one query."""

    def __init__(self, query: str) -> None:
        self.query, self._all, self._at = query, split(query), 0

    @property
    def now(self) -> Token:
        return self._all[self._at]

    @property
    def after(self) -> Token:
        return self._all[min(self._at + 1, len(self._all) - 1)]

    def take(self) -> Token:
        token = self.now
        self._at = min(self._at + 1, len(self._all) - 1)
        return token

    def sees(self, *values: str) -> bool:
        return self.now.kind in ("word", "sign") and self.now.value in values

    def accept(self, *values: str) -> str | None:
        return self.take().value if self.sees(*values) else None

    def expect(self, value: str) -> None:
        if not self.accept(value):
            raise self.wrong()

    def name(self) -> str:
        if self.now.kind not in ("name", "word"):
            raise self.wrong()
        return self.take().value

    def wrong(self) -> Exception:
        return unexpected(self.query, self.now.at)


class Expressions:
    """Reads expressions. `subquery` reads the clauses of a query in brackets."""

    def __init__(self, tokens: Tokens, subquery: Callable[[], list[Node]]) -> None:
        self.tokens, self._subquery = tokens, subquery

    def read(self) -> Node:
        test = self.level(0)
        if not self.tokens.accept("?"):
            return test
        if self.tokens.accept(":"):
            return ("if", test, test, self.read())
        yes = self.read()
        self.tokens.expect(":")
        return ("if", test, yes, self.read())

    def level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        left = self.level(level + 1)
        while sign := self._sign(_LEVELS[level]):
            quantifier, sign = sign
            right = self.level(level + 1)
            left = self._joined(quantifier, sign, left, right)
        return left

    def _joined(self, quantifier: str, sign: str, left: Node, right: Node) -> Node:
        if quantifier:
            return ("compare", quantifier, sign, left, right)
        return ("range", left, right) if sign == ".." else ("op", sign, left, right)

    def _sign(self, signs: tuple[str, ...]) -> tuple[str, str] | None:
        """The operator here, if it is one of these, with the quantifier before it."""
        tokens = self.tokens
        if tokens.sees("NOT") and f"NOT {tokens.after.value}" in signs and tokens.after.kind == "word":
            tokens.take()
            return "", f"NOT {tokens.take().value}"
        if tokens.sees(*_QUANTIFIERS):
            after = tokens.after.value
            if after in signs and after not in ("OR", "AND"):
                return tokens.take().value, tokens.take().value
            return None
        return ("", tokens.take().value) if tokens.sees(*signs) else None

    def _unary(self) -> Node:
        if self.tokens.accept("!", "NOT"):
            return ("not", self._unary())
        if self.tokens.accept("-"):
            return ("neg", self._unary())
        if self.tokens.accept("+"):
            return self._unary()
        return self._postfix(self._primary())

    def _postfix(self, node: Node) -> Node:
        tokens = self.tokens
        while True:
            if tokens.accept("."):
                node = ("at", node, ("bind", tokens.take().value[1:])) if tokens.now.kind == "bind" else self._get(node)
            elif tokens.sees("["):
                tokens.take()
                many = tokens.sees("*")
                node = self._expanded(node) if many else ("at", node, self.read())
                tokens.expect("]")
                if many:
                    return (*node, self._postfix(("name", "CURRENT")))
            else:
                return node

    def _get(self, node: Node) -> Node:
        return ("get", node, self.tokens.name())

    def _expanded(self, node: Node) -> Node:
        """[*], [**], [* FILTER … RETURN …]; `CURRENT` is the member."""
        depth = 0
        while self.tokens.accept("*"):
            depth += 1
        test = self.read() if self.tokens.now.value == "FILTER" and self.tokens.take() else None
        made = self.read() if self.tokens.now.value == "RETURN" and self.tokens.take() else None
        return ("each", node, depth, (test, made))

    def _primary(self) -> Node:
        tokens, token = self.tokens, self.tokens.now
        if token.kind == "number":
            return ("value", _number(tokens.take().value))
        if token.kind == "text":
            return ("value", tokens.take().value)
        if token.kind in ("bind", "source"):
            return (token.kind, tokens.take().value.lstrip("@"))
        if token.kind == "word" and token.value in _CONSTANTS:
            return ("value", _CONSTANTS[tokens.take().value])
        if token.kind == "name" or (token.kind == "word" and tokens.after.value == "("):
            return self._named()
        if tokens.accept("("):
            return self._bracketed()
        if tokens.accept("["):
            return ("list", self._members("]", self.read))
        if tokens.accept("{"):
            return ("object", self._members("}", self._pair))
        raise tokens.wrong()

    def _named(self) -> Node:
        name = self.tokens.take().value
        if not self.tokens.accept("("):
            return ("name", name)
        return ("call", name.upper(), self._members(")", self._argument))

    def _argument(self) -> Node:
        return self._queried() if self._opens_query() else self.read()

    def _bracketed(self) -> Node:
        inner = self._queried() if self._opens_query() else self.read()
        self.tokens.expect(")")
        return inner

    def _opens_query(self) -> bool:
        return self.tokens.sees("FOR", "LET", "RETURN", "WITH", "INSERT", "UPDATE", "REPLACE", "REMOVE", "UPSERT")

    def _queried(self) -> Node:
        return ("query", self._subquery())

    def _members(self, end: str, read: Callable[[], Any]) -> list[Any]:
        found: list[Any] = []
        while not self.tokens.accept(end):
            found.append(read())
            if not self.tokens.accept(","):
                self.tokens.expect(end)
                break
        return found

    def _pair(self) -> tuple[Node, Node]:
        tokens = self.tokens
        if tokens.accept("["):
            key = self.read()
            tokens.expect("]")
        elif tokens.now.kind in ("text", "name", "word"):
            key = ("value", tokens.take().value)
            if not tokens.sees(":"):
                return key, ("name", key[1])
        elif tokens.now.kind == "bind":
            key = ("bind", tokens.take().value[1:])
        else:
            raise tokens.wrong()
        tokens.expect(":")
        return key, self.read()


def _number(text: str) -> int | float:
    if text.lower().startswith("0x"):
        return int(text, 16)
    return float(text) if any(sign in text for sign in ".eE") else int(text)
