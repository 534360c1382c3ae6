"""The value of an AQL expression."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.doubles.arango.aql import functions
from tests.doubles.arango.aql.expressions import Node
from tests.doubles.arango.aql.values import equal, number, order, text, true
from tests.doubles.arango.databases import Database
from tests.doubles.arango.errors import Refused

Row = Mapping[str, Any]


class Values:
    """Evaluates against one database and one set of bind variables; `run` carries out a subquery."""

    def __init__(
        self, database: Database, binds: Mapping[str, Any], run: Callable[[list[Node], Row], list[Any]], user: str
    ) -> None:
        self.database, self.binds, self.user, self._run = database, binds, user, run

    def of(self, node: Node, row: Row) -> Any:
        return getattr(self, f"_{node[0]}")(node, row)

    def collection_name(self, node: Node) -> str:
        """The name that stands where a collection must. Raises Refused (1553)."""
        if node[0] == "name":
            return str(node[1])
        found = self._bound("@" + node[1])
        if not isinstance(found, str):
            raise Refused(1553)
        return found

    def _value(self, node: Node, row: Row) -> Any:
        del row
        return node[1]

    def _bound(self, name: str) -> Any:
        return self.binds[name]

    def _bind(self, node: Node, row: Row) -> Any:
        del row
        return self._bound(node[1])

    def _source(self, node: Node, row: Row) -> Any:
        del row
        return self._documents(self.collection_name(node))

    def _name(self, node: Node, row: Row) -> Any:
        return row[node[1]] if node[1] in row else self._documents(node[1])

    def _documents(self, name: str) -> list[dict[str, Any]]:
        """The documents of a collection, or those that a view links. Raises Refused (1203)."""
        if name in self.database.views:
            linked = self.database.views[name].get("links", {})
            return [each for link in linked for each in self.database.collection(link).documents.values()]
        if name not in self.database.collections:
            raise Refused(1203, f"collection or view not found: {name}")
        return list(self.database.collections[name].documents.values())

    def _get(self, node: Node, row: Row) -> Any:
        of = self.of(node[1], row)
        return of.get(node[2]) if isinstance(of, dict) else None

    def _at(self, node: Node, row: Row) -> Any:
        of, index = self.of(node[1], row), self.of(node[2], row)
        if isinstance(of, dict):
            return of.get(text(index))
        if isinstance(of, list) and isinstance(index, int | float) and -len(of) <= index < len(of):
            return of[int(index)]
        return None

    def _each(self, node: Node, row: Row) -> Any:
        _, of, depth, (test, made), then = node
        members = self.of(of, row)
        for _ in range(depth - 1):
            members = functions.flat(members)
        found = []
        for each in members if isinstance(members, list) else []:
            inner = {**row, "CURRENT": each}
            if test is None or true(self.of(test, inner)):
                inner["CURRENT"] = self.of(made, inner) if made else each
                found.append(self.of(then, inner))
        return found

    def _call(self, node: Node, row: Row) -> Any:
        name, arguments = node[1], [self.of(each, row) for each in node[2]]
        return functions.call(name, arguments, self.database, self.user)

    def _not(self, node: Node, row: Row) -> Any:
        return not true(self.of(node[1], row))

    def _neg(self, node: Node, row: Row) -> Any:
        found = number(self.of(node[1], row))
        return None if found is None else -found

    def _if(self, node: Node, row: Row) -> Any:
        test = self.of(node[1], row)
        if true(test):
            return test if node[2] is node[1] else self.of(node[2], row)
        return self.of(node[3], row)

    def _list(self, node: Node, row: Row) -> Any:
        return [self.of(each, row) for each in node[1]]

    def _object(self, node: Node, row: Row) -> Any:
        return {text(self.of(key, row)): self.of(value, row) for key, value in node[1]}

    def _query(self, node: Node, row: Row) -> Any:
        return self._run(node[1], row)

    def _range(self, node: Node, row: Row) -> Any:
        low, high = (int(number(self.of(each, row)) or 0) for each in node[1:])
        return list(range(low, high + 1)) if low <= high else list(range(low, high - 1, -1))

    def _op(self, node: Node, row: Row) -> Any:
        _, sign, left, right = node
        first = self.of(left, row)
        if sign in ("&&", "AND"):
            return self.of(right, row) if true(first) else first
        if sign in ("||", "OR"):
            return first if true(first) else self.of(right, row)
        return apply(sign, first, self.of(right, row))

    def _compare(self, node: Node, row: Row) -> Any:
        _, quantifier, sign, left, right = node
        other, members = self.of(right, row), self.of(left, row)
        found = [apply(sign, each, other) for each in (members if isinstance(members, list) else [])]
        return {"ALL": all(found), "ANY": any(found), "NONE": not any(found)}[quantifier]


def apply(sign: str, left: Any, right: Any) -> Any:
    """An operator on two values."""
    if sign in ("==", "!="):
        return equal(left, right) is (sign == "==")
    if sign in _ORDERED:
        return _ORDERED[sign](order(left), order(right))
    if sign in ("IN", "NOT IN"):
        there = isinstance(right, list) and any(equal(left, each) for each in right)
        return there is (sign == "IN")
    if sign in ("LIKE", "NOT LIKE"):
        return functions.like(text(left), text(right)) is (sign == "LIKE")
    if sign in ("=~", "!~"):
        return (re.search(text(right), text(left)) is not None) is (sign == "=~")
    return _arithmetic(sign, number(left), number(right))


_ORDERED: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _arithmetic(sign: str, left: int | float | None, right: int | float | None) -> int | float | None:
    if left is None or right is None:
        return None
    if sign in ("/", "%") and right == 0:
        return None
    if sign == "/":
        quotient = left / right
        return int(quotient) if quotient.is_integer() and isinstance(left, int) and isinstance(right, int) else quotient
    if sign == "%":
        return left - right * int(left / right)
    return {"+": left + right, "-": left - right, "*": left * right}[sign]
