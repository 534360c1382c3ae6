"""Flux tokens to a tree of tuples, whose first member names the node.

("value", v) ("regex", text) ("join", parts) ("name", n) ("get", of, name) ("at", of, index) ("call", of, {name: node})
("pipe", of, call) ("not"|"neg"|"exists", of) ("op", sign, left, right) ("if", test, yes, no) ("list", members)
("record", base, {name: node}) ("function", {name: default}, piped, body)
Statements: ("set", name, node) ("option", name, node, start, end) ("import", path) ("do", node) ("return", node)
"""

from __future__ import annotations

import json
from typing import Any

from tests.doubles.influx2.errors import Refused
from tests.doubles.influx2.flux.lexer import Token, invalid, tokens
from tests.doubles.influx2.times import duration, time

Node = tuple[Any, ...]
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",),
    ("and",),
    ("==", "!=", "<", "<=", ">", ">=", "=~", "!~"),
    ("+", "-"),
    ("*", "/", "%"),
    ("^",),
)


def parsed(script: str) -> list[Node]:
    """The statements of a script. Raises Refused (invalid)."""
    return Parser(script).statements("end")


class Parser:
    def __init__(self, script: str) -> None:
        self._script, self._all, self._at = script, tokens(script), 0

    @property
    def _now(self) -> Token:
        return self._all[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._all[self._at - 1]

    def _sees(self, *values: str) -> bool:
        return self._now.kind in ("sign", "word") and self._now.value in values

    def _accept(self, *values: str) -> str | None:
        return self._take().value if self._sees(*values) else None

    def _expect(self, value: str) -> None:
        if not self._accept(value):
            raise self._wrong(f"expected {value}, got {self._now.value or 'EOF'}")

    def _wrong(self, reason: str) -> Refused:
        return invalid(self._script, self._now.at, reason)

    def statements(self, end: str) -> list[Node]:
        found = []
        while self._now.kind != "end" and not self._sees(end):
            found.append(self._statement())
        return found

    def _statement(self) -> Node:
        start = self._now.at
        if self._accept("package"):
            return ("import", self._take().value)
        if self._accept("import"):
            if self._now.kind == "name":
                self._take()
            return ("import", self._take().value.strip('"'))
        if self._accept("return"):
            return ("return", self._expression())
        option = self._accept("option")
        after = self._all[min(self._at + 1, len(self._all) - 1)]
        if self._now.kind == "name" and after.kind == "sign" and after.value == "=":
            name = self._take().value
            self._take()
            node = self._expression()
            end = self._all[self._at - 1].end
            return ("option", name, node, start, end) if option else ("set", name, node)
        return ("do", self._expression())

    def _expression(self) -> Node:
        if self._accept("if"):
            test = self._expression()
            self._expect("then")
            yes = self._expression()
            self._expect("else")
            return ("if", test, yes, self._expression())
        return self._level(0)

    def _level(self, level: int) -> Node:
        if level == len(_LEVELS):
            return self._unary()
        if level == 2 and self._sees("not", "exists"):
            return (self._take().value, self._level(2))
        left = self._level(level + 1)
        while self._sees(*_LEVELS[level]):
            sign = self._take().value
            left = ("op", sign, left, self._level(level + 1))
        return left

    def _unary(self) -> Node:
        if self._accept("-"):
            return ("neg", self._unary())
        if self._accept("+"):
            return self._unary()
        if self._sees("not", "exists"):
            return (self._take().value, self._unary())
        node = self._postfix(self._primary())
        while self._accept("|>"):
            call = self._postfix(self._primary())
            if call[0] != "call":
                raise self._wrong("expected a call after |>")
            node = ("pipe", node, call)
        return node

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._accept("."):
                node = ("get", node, self._take().value)
            elif self._accept("["):
                node = ("at", node, self._expression())
                self._expect("]")
            elif self._accept("("):
                node = ("call", node, self._named(")"))
            else:
                return node

    def _primary(self) -> Node:
        token = self._now
        if token.kind in ("int", "float", "duration", "time", "regex"):
            return self._literal(self._take())
        if token.kind == "text":
            return self._text(self._take())
        if token.kind == "name":
            return ("name", self._take().value)
        if self._sees("("):
            return self._function() if self._opens_function() else self._bracketed()
        if self._accept("["):
            return ("list", self._members())
        if self._accept("{"):
            return self._record()
        raise self._wrong(f"invalid expression: unexpected {token.value or 'EOF'}")

    def _literal(self, token: Token) -> Node:
        if token.kind == "regex":
            return ("regex", token.value)
        made = {"int": int, "float": float, "duration": duration, "time": time}[token.kind]
        return ("value", made(token.value))

    def _text(self, token: Token) -> Node:
        """A string, with what stands in ${…} evaluated."""
        parts: list[Node] = []
        rest, plain = token.value[1:-1], ""
        while rest:
            if rest.startswith("${"):
                end = rest.index("}")
                parts += [("value", plain), Parser(rest[2:end])._expression()]
                rest, plain = rest[end + 1 :], ""
            elif rest.startswith("\\"):
                plain += _unescaped(rest[1])
                rest = rest[2:]
            else:
                plain, rest = plain + rest[0], rest[1:]
        return ("join", [*parts, ("value", plain)]) if parts else ("value", plain)

    def _bracketed(self) -> Node:
        self._expect("(")
        node = self._expression()
        self._expect(")")
        return node

    def _opens_function(self) -> bool:
        depth = 0
        for place in range(self._at, len(self._all)):
            value = self._all[place].value if self._all[place].kind == "sign" else ""
            depth += (value in ("(", "[", "{")) - (value in (")", "]", "}"))
            if depth == 0:
                return self._all[place + 1].value == "=>"
        return False

    def _function(self) -> Node:
        self._expect("(")
        parameters: dict[str, Node | None] = {}
        piped = ""
        while not self._accept(")"):
            name = self._take().value
            parameters[name] = None
            if self._accept("="):
                if self._accept("<-"):
                    piped = name
                else:
                    parameters[name] = self._expression()
            if not self._accept(","):
                self._expect(")")
                break
        self._expect("=>")
        if self._accept("{"):
            body = self.statements("}")
            self._expect("}")
            return ("function", parameters, piped, body)
        return ("function", parameters, piped, [("return", self._expression())])

    def _named(self, end: str) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not self._accept(end):
            token = self._take()
            name = json.loads(token.value) if token.kind == "text" else token.value
            found[name] = self._expression() if self._accept(":") else ("name", name)
            if not self._accept(","):
                self._expect(end)
                break
        return found

    def _record(self) -> Node:
        base = None
        if self._now.kind == "name" and self._all[self._at + 1].value == "with":
            base = ("name", self._take().value)
            self._take()
        return ("record", base, self._named("}"))

    def _members(self) -> list[Node]:
        found = []
        while not self._accept("]"):
            found.append(self._expression())
            if not self._accept(","):
                self._expect("]")
                break
        return found


def _unescaped(sign: str) -> str:
    return {"n": "\n", "t": "\t", "r": "\r"}.get(sign, sign)
