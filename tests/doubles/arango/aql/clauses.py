"""AQL clauses: a whole query to a list of tuples, whose first member names the clause.

("for", names, source) ("walk", names, low, high, direction, start, graph or edges) ("filter", e) ("let", name, e)
("sort", [(e, descending)]) ("limit", offset, count) ("return", e, distinct)
("collect", groups, aggregates, into, keep, counted) ("write", verb, key, body, target, options) ("upsert", …)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.doubles.arango.aql.expressions import Expressions, Node, Tokens
from tests.doubles.arango.errors import Refused

_LATER = ("WINDOW", "SHORTEST_PATH", "K_SHORTEST_PATHS", "K_PATHS", "ALL_SHORTEST_PATHS", "SEARCH", "PRUNE")
_DIRECTIONS = ("OUTBOUND", "INBOUND", "ANY")


def parsed(query: str) -> list[Node]:
    """Raises Refused (1501, 1502; 9 for what this double does not evaluate)."""
    reader = Clauses(Tokens(query))
    found = reader.read()
    if reader.tokens.now.kind != "end":
        raise reader.tokens.wrong()
    return found


class Clauses:
    """Reads the clauses of one query up to its end or its closing bracket."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.expressions = Expressions(tokens, self.read)

    def read(self) -> list[Node]:
        if self.tokens.accept("WITH"):
            self._list(self.tokens.take)
        found: list[Node] = []
        while self.tokens.now.kind != "end" and not self.tokens.sees(")"):
            found.append(self._clause())
            if found[-1][0] == "return":
                break
        if not found or found[-1][0] not in ("return", "write", "upsert"):
            raise self.tokens.wrong()
        return found

    def _clause(self) -> Node:
        word = self.tokens.now.value.upper()
        if word in _LATER:
            raise Refused(9, f"the double does not evaluate {word}")
        readers = {
            "FOR": self._for,
            "FILTER": lambda: ("filter", self.expressions.read()),
            "LET": self._let,
            "SORT": lambda: ("sort", self._list(self._sorted)),
            "LIMIT": self._limit,
            "COLLECT": self._collect,
            "RETURN": self._return,
            "INSERT": lambda: self._write("insert"),
            "UPDATE": lambda: self._write("update"),
            "REPLACE": lambda: self._write("replace"),
            "REMOVE": lambda: self._write("remove"),
            "UPSERT": self._upsert,
        }
        if self.tokens.now.kind != "word" or word not in readers:
            raise self.tokens.wrong()
        self.tokens.take()
        return readers[word]()

    def _for(self) -> Node:
        names = self._list(self.tokens.name)
        self.tokens.expect("IN")
        source = None if self.tokens.sees(*_DIRECTIONS) else self.expressions.read()
        if direction := self.tokens.accept(*_DIRECTIONS):
            depth = source or ("value", 1)
            low, high = depth[1:] if depth[0] == "range" else (depth, depth)
            return self._walk(names, low, high, direction)
        self._options()
        return ("for", names, source)

    def _walk(self, names: list[str], low: Node, high: Node, direction: str) -> Node:
        if self.tokens.now.value in _LATER:
            raise Refused(9, f"the double does not evaluate {self.tokens.now.value}")
        start = self.expressions.read()
        graph = self.expressions.read() if self.tokens.accept("GRAPH") else None
        edges = [] if graph else self._list(self._edges)
        if self.tokens.now.value.upper() in _LATER:
            raise Refused(9, f"the double does not evaluate {self.tokens.now.value.upper()}")
        self._options()
        return ("walk", names, low, high, direction, start, graph, edges)

    def _edges(self) -> tuple[str | None, Node]:
        return self.tokens.accept(*_DIRECTIONS), self.expressions.read()

    def _let(self) -> Node:
        name = self.tokens.name()
        self.tokens.expect("=")
        return ("let", name, self.expressions.read())

    def _sorted(self) -> tuple[Node, bool]:
        return self.expressions.read(), self.tokens.accept("ASC", "DESC") == "DESC"

    def _limit(self) -> Node:
        first = self.expressions.read()
        if self.tokens.accept(","):
            return ("limit", first, self.expressions.read())
        return ("limit", ("value", 0), first)

    def _return(self) -> Node:
        distinct = bool(self.tokens.accept("DISTINCT"))
        return ("return", self.expressions.read(), distinct)

    def _collect(self) -> Node:
        groups = [] if self.tokens.sees("WITH", "AGGREGATE") else self._list(self._assigned)
        aggregates = self._list(self._assigned) if self.tokens.accept("AGGREGATE") else []
        counted = into = None
        if self.tokens.accept("WITH"):
            self.tokens.name()
            self.tokens.expect("INTO")
            counted = self.tokens.name()
        elif self.tokens.accept("INTO"):
            name = self.tokens.name()
            into = (name, self.expressions.read() if self.tokens.accept("=") else None)
        self._options()
        return ("collect", groups, aggregates, into, counted)

    def _assigned(self) -> tuple[str, Node]:
        name = self.tokens.name()
        self.tokens.expect("=")
        return name, self.expressions.read()

    def _write(self, verb: str) -> Node:
        first = self.expressions.level(4)
        second = self.expressions.level(4) if self.tokens.accept("WITH") else None
        self._into()
        key, body = (None, first) if verb == "insert" else (first, second)
        return ("write", verb, key, body, self._target(), self._options())

    def _upsert(self) -> Node:
        example = self.expressions.level(4)
        self.tokens.expect("INSERT")
        insert = self.expressions.level(4)
        verb = self.tokens.accept("UPDATE", "REPLACE")
        if not verb:
            raise self.tokens.wrong()
        change = self.expressions.level(4)
        self._into()
        return ("upsert", example, insert, verb.lower(), change, self._target(), self._options())

    def _into(self) -> None:
        if not self.tokens.accept("IN", "INTO"):
            raise self.tokens.wrong()

    def _target(self) -> Node:
        token = self.tokens.take()
        if token.kind not in ("name", "source", "bind"):
            raise self.tokens.wrong()
        return ("name", token.value) if token.kind == "name" else ("source", token.value.lstrip("@"))

    def _options(self) -> Node | None:
        if self.tokens.now.kind != "name" or self.tokens.now.value.upper() != "OPTIONS":
            return None
        self.tokens.take()
        return self.expressions.read()

    def _list(self, read: Callable[[], Any]) -> list[Any]:
        found = [read()]
        while self.tokens.accept(","):
            found.append(read())
        return found
