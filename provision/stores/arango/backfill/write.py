"""Looks for the vertices of edges, and writes the edges that are not there. One that is there is never written over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.net.http import path_of
from provision.stores.arango.backfill.edges import ENDS, Edge
from provision.stores.arango.migrate.operations.base import Live
from provision.stores.arango.migrate.operations.insert_documents import there
from provision.stores.arango.server import Server

_DURABLE = {"waitForSync": "true"}
Document = Mapping[str, Any]


def write(server: Server, collection: str, edges: Sequence[Edge]) -> tuple[int, str]:
    """Write edges up to the first that cannot be: how many are there now, and why the next is not, empty for all.

    Raises ServerRefused, http.Unanswered: then any of them may have been written, and may be again.
    """
    good, why = _until(_unfit(server, edges))
    known, new = _there(server, collection, edges[:good]), dict[str, Document]()
    for n, edge in enumerate(edges[:good]):
        if another := _another(edge, known.get(edge.key, new.get(edge.key))):
            good, why = n, another
            break
        if edge.key not in known:
            new[edge.key] = edge.document
    if refused := _insert(server, collection, list(new.values())):
        # Another process may have written it since it was looked for.
        late = _there(server, collection, [edge for edge in edges[:good] if edge.key in refused])
        for n, edge in enumerate(edges[:good]):
            said = _another(edge, late[edge.key]) if edge.key in late else refused.get(edge.key, "")
            if said:
                return n, said
    return good, why


def missing(server: Server, collection: str, edges: Sequence[Edge]) -> int:
    """How many of the edges are not there, or lead elsewhere. Raises as `write`."""
    found = _there(server, collection, edges)
    return sum(1 for edge in edges if edge.key not in found or _another(edge, found[edge.key]))


def _unfit(server: Server, edges: Sequence[Edge]) -> Iterator[str]:
    """What is wrong with the vertices of each edge; empty where both are there, with the attributes asked of them."""
    wanted: dict[str, list[str]] = {}
    for vertex in dict.fromkeys(vertex for edge in edges for vertex in edge.vertices):
        collection, key = vertex.split("/", 1)
        wanted.setdefault(collection, []).append(key)
    found = {
        f"{collection}/{key}": document
        for collection, keys in wanted.items()
        for key, document in there(collection, keys, Live(server)).items()
    }
    for edge in edges:
        yield next((why for each in edge.vertices if (why := _wrong(edge, each, found.get(each)))), "")


def _wrong(edge: Edge, vertex: str, found: Document | None) -> str:
    if found is None:
        return f"there is no vertex {vertex}, and no edge may lead to nothing"
    for name, value in edge.ends.items():
        if found.get(name) != value:
            return f"{name} of vertex {vertex} is {found.get(name)!r}, not {value!r}"
    return ""


def _another(edge: Edge, found: Document | None) -> str:
    """Why a document is another edge; the same two ends make the same one, whatever else it says by now."""
    if found is None or all(found.get(end) == edge.document[end] for end in ENDS):
        return ""
    return f"edge {edge.key} is there already, from {found.get('_from')} to {found.get('_to')}"


def _until(said: Iterator[str]) -> tuple[int, str]:
    """How many come before the first of which something is said, and what."""
    n = -1
    for n, why in enumerate(said):
        if why:
            return n, why
    return n + 1, ""


def _insert(server: Server, collection: str, documents: Sequence[Document]) -> dict[str, str]:
    """Key → the server's words for each edge that it did not take."""
    if not documents:
        return {}
    answers = server.ask("POST", "/_api/document" + path_of(collection), list(documents), query=_DURABLE)
    return {
        document["_key"]: f"{answer.get('errorMessage')} (error {answer.get('errorNum')})"
        for document, answer in zip(documents, answers, strict=True)
        if answer.get("error")
    }


def _there(server: Server, collection: str, edges: Sequence[Edge]) -> dict[str, Document]:
    return there(collection, list(dict.fromkeys(edge.key for edge in edges)), Live(server))
