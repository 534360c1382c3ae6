"""Carrying out an AQL query: its clauses one after the other over rows of variables."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.doubles.arango.aql import traversal, writes
from tests.doubles.arango.aql.clauses import parsed
from tests.doubles.arango.aql.evaluate import Row, Values
from tests.doubles.arango.aql.expressions import Node
from tests.doubles.arango.aql.functions import call, known
from tests.doubles.arango.aql.values import order, true
from tests.doubles.arango.databases import Database
from tests.doubles.arango.errors import Refused


class Query:
    """One query against one database. What it wrote is undone when it is refused."""

    def __init__(self, database: Database, text: str, binds: Mapping[str, Any], user: str = "root") -> None:
        self.database, self.clauses = database, parsed(text)
        self.values = Values(database, binds, self._rows, user)
        self.stats = {"writesExecuted": 0, "writesIgnored": 0, "scannedFull": 0, "filtered": 0}
        self.full_count = 0
        self._before: dict[str, dict[str, dict[str, Any]]] = {}
        self._check(binds)

    @property
    def reads_only(self) -> bool:
        return not any(clause[0] in ("write", "upsert") for clause in self.clauses)

    @property
    def writes_to(self) -> list[str]:
        """The collections that it writes. Raises Refused."""
        return [self.values.collection_name(each[-2]) for each in self.clauses if each[0] in ("write", "upsert")]

    @property
    def changed(self) -> set[str]:
        """The collections that it writes, in subqueries too. Raises Refused."""
        return {self.values.collection_name(each[-2]) for each in _writes(self.clauses)}

    @property
    def named(self) -> set[str]:
        """The collections that stand in it as bind parameters. Raises Refused."""
        return {self.values.collection_name(("source", name)) for _, name in _leaves(self.clauses, ("source",))}

    def result(self) -> list[Any]:
        """Raises Refused."""
        try:
            return self._rows(self.clauses, {})
        except Refused:
            for name, documents in self._before.items():
                self.database.collections[name].documents = documents
            raise

    def _check(self, binds: Mapping[str, Any]) -> None:
        """What the server sees before it runs a query. Raises Refused (1551, 1552, 1540, 1203)."""
        named = {("@" if kind == "source" else "") + name for kind, name in _leaves(self.clauses, ("bind", "source"))}
        if missing := sorted(named - set(binds)):
            raise Refused(1551, f"no value specified for declared bind parameter '{missing[0]}'")
        if undeclared := sorted(set(binds) - named):
            raise Refused(1552, f"bind parameter '{undeclared[0]}' was not declared in the query")
        for _, name in _leaves(self.clauses, ("call",)):
            if not known(name):
                raise Refused(1540, f"usage of unknown function '{name}()'")
        for name in self.writes_to:
            if name not in self.database.collections:
                raise Refused(1203, f"collection or view not found: {name}")

    def keep(self, collection: str) -> None:
        """Remember what a collection holds before its first write."""
        if collection not in self._before:
            self._before[collection] = dict(self.database.collections[collection].documents)

    def _rows(self, clauses: list[Node], row: Row) -> list[Any]:
        rows: list[dict[str, Any]] = [dict(row)]
        for clause in clauses:
            if clause[0] == "return":
                made = [self.values.of(clause[1], each) for each in rows]
                return _distinct(made) if clause[2] else made
            rows = getattr(self, f"_{clause[0]}")(clause, rows)
        return []

    def _for(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        [name] = clause[1]
        found = []
        for row in rows:
            members = self.values.of(clause[2], row)
            if not isinstance(members, list):
                raise Refused(1563)
            self.stats["scannedFull"] += len(members)
            found += [{**row, name: each} for each in members]
        return found

    def _walk(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        found = []
        for row in rows:
            for step in traversal.steps(self.database, self.values, clause, row):
                found.append({**row, **dict(zip(clause[1], step, strict=False))})
        return found

    def _filter(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [row for row in rows if true(self.values.of(clause[1], row))]
        self.stats["filtered"] += len(rows) - len(kept)
        return kept

    def _let(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, clause[1]: self.values.of(clause[2], row)} for row in rows]

    def _sort(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for key, descending in reversed(clause[1]):
            rows = sorted(rows, key=lambda row, key=key: order(self.values.of(key, row)), reverse=descending)
        return rows

    def _limit(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        self.full_count = len(rows)
        offset, count = (int(self.values.of(each, {})) for each in clause[1:])
        return rows[offset : offset + count]

    def _collect(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        _, groups, aggregates, into, counted = clause
        by: dict[str, tuple[dict[str, Any], list[dict[str, Any]]]] = {}
        if not groups:
            by[""] = {}, []
        for row in rows:
            key = {name: self.values.of(node, row) for name, node in groups}
            by.setdefault(json.dumps([order(each) for each in key.values()]) if groups else "", (key, []))[1].append(
                row
            )
        made = []
        for key, members in sorted(by.values(), key=lambda each: [order(value) for value in each[0].values()]):
            row = dict(key)
            for name, (_, function, [argument]) in aggregates:
                values = [self.values.of(argument, each) for each in members]
                row[name] = call(function, [values], self.database, "")
            if counted:
                row[counted] = len(members)
            if into:
                row[into[0]] = [self.values.of(into[1], each) if into[1] else each for each in members]
            made.append(row)
        return made

    def _write(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [writes.write(self, clause, row) for row in rows]

    def _upsert(self, clause: Node, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [writes.upsert(self, clause, row) for row in rows]


def _writes(tree: Any) -> Iterator[Node]:
    """The writing clauses, wherever they stand."""
    if isinstance(tree, tuple) and tree and tree[0] in ("write", "upsert"):
        yield tree
    if isinstance(tree, tuple | list):
        for each in tree:
            yield from _writes(each)


def _leaves(tree: Any, kinds: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The nodes of these kinds, wherever they stand, each with its name."""
    if isinstance(tree, tuple) and len(tree) > 1 and tree[0] in kinds and isinstance(tree[1], str):
        yield tree[0], tree[1]
    if isinstance(tree, tuple | list):
        for each in tree:
            yield from _leaves(each, kinds)


def _distinct(values: list[Any]) -> list[Any]:
    found: dict[str, Any] = {}
    for each in values:
        found.setdefault(json.dumps(order(each)), each)
    return list(found.values())
