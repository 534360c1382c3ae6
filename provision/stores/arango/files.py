"""The documents of an ArangoDB store, and what must hold between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from provision.documents import Document, Operation
from provision.documents.source import Documents
from provision.errors import ProvisionError
from provision.model import StoreOptions
from provision.stores.arango.migrate import indexes
from provision.stores.arango.migrate.compare import same
from provision.stores.arango.migrate.name_rules import illegal
from provision.stores.arango.migrate.operations import OPERATIONS
from provision.stores.arango.migrate.operations.base import DOCUMENT, EDGE, uses
from provision.stores.arango.migrate.operations.create_collection import FIXED
from provision.stores.arango.migrate.operations.create_graph import roles, wrong_role
from provision.stores.arango.setup.schema import schema

Place = tuple[tuple[str | int, ...], str, str]  # the way to it in the body, what is wrong, how to write it


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, _across)


@dataclass(frozen=True, slots=True)
class Made:
    """What the operations so far have made: a name (of an index: with its collection's) → its operation and file."""

    collections: dict[str, tuple[Operation, str]] = field(default_factory=dict)
    indexes: dict[tuple[str, str], tuple[Operation, str]] = field(default_factory=dict)
    graphs: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    def type_of(self, collection: str) -> int | None:
        found = self.collections.get(collection)
        return None if found is None else int(found[0].body.get("type", DOCUMENT))


def _across(found: Sequence[Document]) -> Iterator[ProvisionError]:
    """Illegal names, and what the operations would meet if they ran one after another on an empty database."""
    made = Made()
    for document in found:
        for side, listed in (("up", document.up), ("down", document.down)):
            for index, each in enumerate(listed if isinstance(listed, tuple) else ()):
                for key, what, fix in _names(each):
                    yield document.wrong(what, (side, index, each.name, *key), fix)
        for index, each in enumerate(document.up):
            for key, what, fix in _CHECKS.get(each.name, _nothing)(each, made):
                yield document.wrong(what, ("up", index, each.name, *key), fix)
            _take_in(each, document, made)


def _names(each: Operation) -> Iterator[Place]:
    thing = _THINGS.get(each.name)
    if thing is None:
        return
    wrong = illegal(thing, each.body["name"])
    if wrong is not None:
        yield ("name",), *wrong


_THINGS = {f"create_{thing}": thing for thing in ("database", "collection", "index", "graph", "view", "analyzer")}


def _take_in(each: Operation, document: Document, made: Made) -> None:
    """Keep what the operation makes, forget what it drops."""
    body, place = each.body, f"{document.shown}:{each.line}"
    if each.name == "create_collection":
        made.collections.setdefault(body["name"], (each, place))
    elif each.name == "drop_collection":
        made.collections.pop(body["name"], None)
        for key in [key for key in made.indexes if key[0] == body["name"]]:
            del made.indexes[key]
    elif each.name == "create_index":
        made.indexes.setdefault((body["collection"], body["name"]), (each, place))
    elif each.name == "drop_index":
        made.indexes.pop((body["collection"], body["name"]), None)
    elif each.name in ("create_graph", "alter_graph"):
        made.graphs[body["name"]] = body
    elif each.name == "drop_graph":
        made.graphs.pop(body["name"], None)


def _nothing(_each: Operation, _made: Made) -> Iterator[Place]:
    return iter(())


def _collection(each: Operation, made: Made) -> Iterator[Place]:
    """A collection that is made already, otherwise."""
    name = each.body["name"]
    if name not in made.collections:
        return
    before, place = made.collections[name]
    earlier, now = before.body, each.body
    for key in (*FIXED, *sorted({*earlier, *now} - {"name", *FIXED})):
        if earlier.get(key, _USUAL.get(key)) == now.get(key, _USUAL.get(key)):
            continue
        fix = f"write update_collection to change {key}"
        if key in FIXED:
            fix = "drop it first, or make a collection of another name and move the documents with aql"
        yield (key if key in now else "name",), f"collection {name} is made by {place} with another {key}", fix
        return


_USUAL: Mapping[str, object] = {"type": DOCUMENT}


def _dropped(each: Operation, made: Made) -> Iterator[Place]:
    for graph in sorted(name for name, body in made.graphs.items() if uses(body, each.body["name"])):
        what = f"graph {graph} is made of collection {each.body['name']}"
        yield ("name",), what, "drop or alter the graph before it"


def _index(each: Operation, made: Made) -> Iterator[Place]:
    """An index that is made already, otherwise: none can be altered."""
    before = made.indexes.get((each.body["collection"], each.body["name"]))
    if before is not None and not _equal_index(before[0].body, each.body):
        what = f"{indexes.what(before[0].body)} is made by {before[1]}, and no index can be altered"
        yield ("name",), what, "write drop_index before it"


def _equal_index(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    mine, theirs = indexes.normal(one), indexes.normal(other)
    return indexes.equal(one, other) and same(mine, theirs) and same(theirs, mine)


def _graph(each: Operation, made: Made) -> Iterator[Place]:
    """Collections that nobody makes, which the server would make in its own way, and such as are of the other type."""
    graph = each.body["name"]
    for name, needed, key in roles(each.body):
        kind, edges = made.type_of(name), needed == EDGE
        if kind is None:
            what = f"graph {graph} is made of collection {name}, which no document makes"
            yield (key,), what, f"write create_collection for it {'with type 3, ' if edges else ''}before the graph"
        elif kind != needed:
            fix = "give it type 3 in its create_collection" if edges else "name a collection of type 2"
            yield (key,), wrong_role(graph, name, needed), fix


def _rows(each: Operation, made: Made) -> Iterator[Place]:
    """An edge without its two ends."""
    body = each.body
    if made.type_of(body["collection"]) != EDGE:
        return
    for index, row in enumerate(body["documents"]):
        lacking = [end for end in ("_from", "_to") if end not in row]
        if lacking:
            what = f"{body['collection']} is an edge collection, and document {row['_key']} has no {lacking[0]}"
            yield (
                ("documents", index, "_key"),
                what,
                "write _from and _to as collection/key, or name a document collection",
            )


_CHECKS: Mapping[str, Callable[[Operation, Made], Iterator[Place]]] = {
    "create_collection": _collection,
    "drop_collection": _dropped,
    "create_index": _index,
    "create_graph": _graph,
    "alter_graph": _graph,
    "insert_documents": _rows,
}
