"""Finds row policies that would leave rows of a query out without a word, wherever in it the table is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

from provision.stores.clickhouse.server import ServerRefused

Ask = Callable[[str], Sequence[tuple[Any, ...]]]
_READ = re.compile(r"ReadFrom\w+ \((.+)\)")
_FILTER = re.compile(r"^[\W_]*(Row level filter|Filter \(Row-level security)")
_NODE = re.compile(r"^( *)(\w+) ?(.*?)(?: \(alias .*\))?(?: \(children \d+\))?$")
_IN = re.compile(r"(global)?(not)?(null)?in", re.IGNORECASE)
_VIEW = "SELECT as_select FROM system.tables WHERE engine = 'View' AND database = {database} AND name = {name}"


def filtered(ask: Ask, query: str) -> str:
    """The table from which a row policy takes rows of a query, or ''. `ask` returns the rows of a statement.

    Raises ServerRefused where the server refuses the query. Few users may ask which policies there are; a plan tells
    everyone, but shows neither what `IN (SELECT …)` reads nor what a scalar subquery did. So every table named in the
    query, or in a view that it reads, is planned by itself.
    """
    plan = ask(f"EXPLAIN actions = 1 {query}")
    if found := _hidden(plan):
        return found
    waiting, met = {*_reads(plan), *_sources(ask(_tree(query)))}, set[str]()
    while waiting:
        met.add(name := waiting.pop())
        # Refused: the name of a WITH, or a view with parameters. As a part of the query it was accepted.
        plan = _asked(ask, f"EXPLAIN actions = 1 SELECT count() FROM {name}")
        if found := _hidden(plan):
            return found
        selected = [each for row in ask(_view(name)) for each in _sources(_asked(ask, _tree(str(row[0]))))]
        waiting |= {*_reads(plan), *selected} - met
    return ""


def _tree(query: str) -> str:
    # The query takes the first FORMAT behind it: without one it would take the driver's. As a table function EXPLAIN
    # is refused to those who only read.
    return f"EXPLAIN AST {query}\nFORMAT Null"


def _asked(ask: Ask, statement: str) -> Sequence[tuple[Any, ...]]:
    try:
        return ask(statement)
    except ServerRefused:
        return ()


def _hidden(plan: Sequence[tuple[Any, ...]]) -> str:
    read = ""
    for line in (str(row[0]) for row in plan):
        if found := _READ.search(line):
            read = found[1]
        if _FILTER.search(line):
            return read or "its table"
    return ""


def _reads(plan: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """The tables that a plan reads: below a Merge a policy looks like any other condition."""
    return (_quoted(found[1]) for row in plan if (found := _READ.search(str(row[0]))))


class _Node(NamedTuple):
    depth: int
    kind: str
    text: str


def _sources(tree: Sequence[tuple[Any, ...]]) -> Iterator[str]:
    """What a query reads, as its syntax tree names it: tables, table functions, and tables that stand after IN."""
    nodes = [_Node(len(found[1]), found[2], found[3]) for row in tree if (found := _NODE.match(str(row[0])))]
    for at, node in enumerate(nodes):
        if node.kind == "TableIdentifier":
            yield _quoted(node.text)
        elif node.kind == "TableExpression" and nodes[at + 1].kind == "Function":
            yield _call(nodes, at + 1)
        elif node.kind == "Function" and _IN.fullmatch(node.text):
            right = _below(nodes, at + 1)[-1:]
            yield from (_quoted(each.text) for each in right if each.kind == "Identifier")


def _below(nodes: Sequence[_Node], at: int) -> list[_Node]:
    """The children of a node."""
    found = []
    for node in nodes[at + 1 :]:
        if node.depth <= nodes[at].depth:
            break
        if node.depth == nodes[at].depth + 1:
            found.append(node)
    return found


def _call(nodes: Sequence[_Node], at: int) -> str:
    """A table function with what is plain among its arguments; the name alone may be that of a view."""
    given = []
    for each in _below(nodes, at + 1):
        if each.kind == "Literal":
            given.append(re.sub(r"^U?Int64_", "", each.text))
        elif each.kind in ("Identifier", "TableIdentifier"):
            given.append(_quoted(each.text))
        elif each.text == "currentDatabase":
            given.append("currentDatabase()")
        else:
            return _quoted(nodes[at].text)
    return f"{nodes[at].text}({', '.join(given)})"


def _quoted(name: str) -> str:
    return ".".join(f"`{part}`" for part in name.split(".", 1))


def _view(name: str) -> str:
    """The query for what a view selects; it finds nothing for what is none."""
    database, _, bare = name.partition("(")[0].replace("`", "").rpartition(".")
    bare, database = (each.replace("\\", "\\\\").replace("'", "\\'") for each in (bare, database))
    return _VIEW.format(database=f"'{database}'" if database else "currentDatabase()", name=f"'{bare}'")
