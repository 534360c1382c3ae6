"""FOR v, e, p IN 1..n OUTBOUND start GRAPH 'g': depth first, no edge twice on a path, as the server's default."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.doubles.arango.aql.evaluate import Row, Values
from tests.doubles.arango.aql.expressions import Node
from tests.doubles.arango.databases import Database
from tests.doubles.arango.errors import Refused

Step = tuple[Any, Any, dict[str, list[Any]]]


def steps(database: Database, values: Values, clause: Node, row: Row) -> Iterator[Step]:
    """Vertex, edge and path of every step within the depths. Raises Refused (1924, 1203)."""
    _, _, low, high, direction, start, graph, edges = clause
    shallow, deep = int(values.of(low, row)), int(values.of(high, row))
    begin = values.of(start, row)
    begin = begin["_id"] if isinstance(begin, dict) else begin
    if graph:
        name = values.of(graph, row) if graph[0] != "name" else graph[1]
        if name not in database.graphs:
            raise Refused(1924, f"graph '{name}' not found")
        ways = [(direction, each["collection"]) for each in database.graphs[name]["edgeDefinitions"]]
    else:
        ways = [(own or direction, values.collection_name(each)) for own, each in edges]
    path = {"vertices": [_vertex(database, begin)], "edges": []}
    yield from _from(database, ways, begin, path, shallow, deep)


def _from(
    database: Database, ways: list[tuple[str, str]], at: str, path: dict[str, list[Any]], shallow: int, deep: int
) -> Iterator[Step]:
    depth = len(path["edges"])
    if depth >= shallow:
        yield path["vertices"][-1], path["edges"][-1] if depth else None, path
    if depth == deep:
        return
    for edge, other in _edges(database, ways, at):
        if all(edge["_id"] != each["_id"] for each in path["edges"]):
            longer = {
                "vertices": [*path["vertices"], _vertex(database, other)],
                "edges": [*path["edges"], edge],
            }
            yield from _from(database, ways, other, longer, shallow, deep)


def _edges(database: Database, ways: list[tuple[str, str]], at: str) -> Iterator[tuple[dict[str, Any], str]]:
    for direction, name in ways:
        if name not in database.collections:
            raise Refused(1203, f"collection or view not found: {name}")
        for edge in database.collections[name].documents.values():
            if direction in ("OUTBOUND", "ANY") and edge["_from"] == at:
                yield edge, edge["_to"]
            if direction in ("INBOUND", "ANY") and edge["_to"] == at:
                yield edge, edge["_from"]


def _vertex(database: Database, id: str) -> dict[str, Any] | None:
    name, _, key = str(id).rpartition("/")
    found = database.collections.get(name)
    return found.documents.get(key) if found else None
