"""INSERT, UPDATE, REPLACE, REMOVE and UPSERT of AQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.doubles.arango import documents
from tests.doubles.arango.aql.evaluate import Row
from tests.doubles.arango.aql.expressions import Node
from tests.doubles.arango.aql.values import equal
from tests.doubles.arango.collections import Collection
from tests.doubles.arango.documents import How, Written
from tests.doubles.arango.errors import Refused

if TYPE_CHECKING:
    from tests.doubles.arango.aql.run import Query


def write(query: Query, clause: Node, row: Row) -> dict[str, Any]:
    """The row with OLD and NEW. Raises Refused."""
    _, verb, key, body, target, options = clause
    collection, given = _opened(query, target, options, row)
    selector = query.values.of(key, row) if key else None
    content = query.values.of(body, row) if body else selector
    return _with(query, row, given, lambda: _done(collection, verb, selector, content, given))


def upsert(query: Query, clause: Node, row: Row) -> dict[str, Any]:
    """The row with OLD and NEW. Raises Refused."""
    _, example, insert, verb, change, target, options = clause
    collection, given = _opened(query, target, options, row)
    wanted = query.values.of(example, row)
    found = next((each for each in collection.documents.values() if _like(each, wanted)), None)
    if found is None:
        body = query.values.of(insert, row)
        return _with(query, row, given, lambda: documents.insert(collection, body, _how(given)))
    body = query.values.of(change, {**row, "OLD": found})
    return _with(query, row, given, lambda: _done(collection, verb, found, body, given))


def _opened(query: Query, target: Node, options: Node | None, row: Row) -> tuple[Collection, dict[str, Any]]:
    name = query.values.collection_name(target)
    if name not in query.database.collections:
        raise Refused(1203, f"collection or view not found: {name}")
    query.keep(name)
    return query.database.collections[name], query.values.of(options, row) if options else {}


def _with(query: Query, row: Row, options: dict[str, Any], done: Any) -> dict[str, Any]:
    try:
        written: Written = done()
    except Refused:
        if not options.get("ignoreErrors"):
            raise
        query.stats["writesIgnored"] += 1
        return {**row, "OLD": None, "NEW": None}
    query.stats["writesExecuted"] += 1
    return {**row, "OLD": written.old, "NEW": written.new}


def _done(collection: Collection, verb: str, selector: Any, body: Any, options: dict[str, Any]) -> Written:
    how = _how(options)
    if verb == "insert":
        return documents.insert(collection, body, how)
    key = documents.key_of(collection, selector)
    if verb == "remove":
        return documents.remove(collection, key, how)
    return (documents.update if verb == "update" else documents.replace)(collection, key, body, how)


def _how(options: dict[str, Any]) -> How:
    mode = options.get("overwriteMode") or ("replace" if options.get("overwrite") else "conflict")
    return How(mode, bool(options.get("keepNull", True)), bool(options.get("mergeObjects", True)))


def _like(document: dict[str, Any], example: dict[str, Any]) -> bool:
    return all(equal(document.get(name), value) for name, value in example.items())
