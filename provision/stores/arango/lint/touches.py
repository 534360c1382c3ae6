"""What ArangoDB documents touch: collections, indexes, graphs, views, analyzers, documents by their key."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from provision.documents import touches
from provision.model import Revision, StoreOptions
from provision.model.touches import Touch, Touched, reads, writes
from provision.stores.arango.lint.reader import ArangoReader

NEEDS: Sequence[str] = ()


def touched(options: StoreOptions, revisions: Sequence[Revision], wanted: Collection[str]) -> Mapping[str, Touched]:
    return touches.touched(ArangoReader(), _RULES, options, revisions, wanted)


def _named(kind: str) -> Callable[[Mapping[str, Any]], Iterable[Touch]]:
    return lambda body: (writes(kind, body["name"]),)


def _collection(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes("collection", body["name"])
    if other := body.get("distributeShardsLike"):
        yield reads("collection", other, "name")


def _index(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield reads("collection", body["collection"], "name")
    yield writes("collection", body["collection"], "index", body["name"])
    if body.get("unique"):
        yield reads("collection", body["collection"], "documents")


def _graph(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes("graph", body["name"])
    # A graph makes the collections that are not there.
    yield from (writes("collection", name, "name") for name in sorted(_collections(body)))


def _collections(body: Mapping[str, Any]) -> Iterator[str]:
    for each in body.get("edgeDefinitions") or ():
        yield from (each["collection"], *each.get("from", ()), *each.get("to", ()))
    yield from body.get("orphanCollections") or ()


def _view(body: Mapping[str, Any]) -> Iterator[Touch]:
    yield writes("collection", body["name"])  # views and collections share their names
    for name, link in (body.get("links") or {}).items():
        yield reads("collection", name, "name")
        yield from (reads("analyzer", each) for each in (link or {}).get("analyzers", ()))
    yield from (reads("collection", each["collection"], "name") for each in body.get("indexes") or ())


def _documents(body: Mapping[str, Any]) -> Iterator[Touch]:
    collection = str(body["collection"])
    yield reads("collection", collection, "name")
    listed = body.get("documents") or body.get("keys") or ()
    keys = [each.get("_key") if isinstance(each, Mapping) else each for each in listed]
    if all(keys):
        yield from (writes("collection", collection, "documents", str(each)) for each in keys)
    else:
        yield writes("collection", collection, "documents")


_RULES: touches.Rules = {
    "create_collection": _collection,
    "update_collection": _collection,
    "drop_collection": _collection,
    "create_index": _index,
    "drop_index": _index,
    "create_graph": _graph,
    "alter_graph": _graph,
    "create_view": _view,
    "drop_view": _view,
    "create_analyzer": _named("analyzer"),
    "drop_analyzer": _named("analyzer"),
    "create_database": _named("database"),
    "insert_documents": _documents,
    "delete_documents": _documents,
}
