"""Asks ArangoDB about a collection and its checks before a document is read: names, expressions, rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Table
from provision.stores.arango.migrate.operations.base import Live
from provision.stores.arango.migrate.world import EDGE
from provision.stores.arango.server import FORBIDDEN, Server, ServerRefused
from provision.stores.arango.validate.aql import DOCUMENT, used
from provision.text.nearest import near
from provision.validate.columns import timeless
from provision.validate.scan import narrowing, unknown_columns

_OWN = ("_key", "_id", "_rev")
_ENDS = ("_from", "_to")
OF_EDGES = ("dangling_edge", "acyclic")


def refused(server: Server, table: Table) -> Iterator[ProvisionError]:
    """Raises http.Unanswered, ServerRefused for what the table is not to blame for."""
    found = None if server.absent else Live(server).collection(table.name)
    if found is None:
        yield _unknown(server, table)
        return
    yield from timeless(table)
    yield from _unknown_attributes(table, found)
    for check in table.checks:
        if check.kind in OF_EDGES and found["type"] != EDGE:
            what = f"{check.name}: {table.name} is no collection of edges"
            yield ConfigError("bad-expression", what, where=check.place, fix="name one that holds edges")
        if check.kind == "bad":
            yield from _bad_expression(server, table, check)


def _unknown(server: Server, table: Table) -> ConfigError:
    listed = [] if server.absent else server.ask("GET", "/_api/collection", query={"excludeSystem": "true"})["result"]
    fix = near(table.name, [str(each["name"]) for each in listed], "its collections")
    what = f"{table.store} has no collection {table.name}"
    return ConfigError("unknown-table", what, where=table.place, fix=fix)


def _unknown_attributes(table: Table, collection: Mapping[str, Any]) -> Sequence[ProvisionError]:
    """Attributes that the collection's schema has no place for; without a schema any name may be right."""
    rule = (collection.get("schema") or {}).get("rule") or {}
    if rule.get("additionalProperties") is not False:
        return ()
    known = (*_attributes(rule), *_OWN, *(_ENDS if collection["type"] == EDGE else ()), "cycle")
    return list(unknown_columns(table, known, used, *narrowing(table)))


def _attributes(rule: Mapping[str, Any], head: str = "") -> Iterator[str]:
    for name, inner in (rule.get("properties") or {}).items():
        yield head + name
        if isinstance(inner, Mapping):
            yield from _attributes(inner, f"{head}{name}.")


def _bad_expression(server: Server, table: Table, check: Check) -> Iterator[ConfigError]:
    """What the server says against the expression, and that it changes data."""
    # Without parentheses around it, nothing can be read that would leave them: `a) OR (b`.
    queries = [f"FOR {DOCUMENT} IN @@c RETURN {text}" for text in (f"\n{check.body}\n", f"(\n{check.body}\n)")]
    try:
        for query in queries:
            plan = server.ask("POST", "/_api/explain", {"query": query, "bindVars": {"@c": table.name}})["plan"]
    except ServerRefused as no:
        if no.number == FORBIDDEN:
            fix = f"grant read access to {table.name} to the user of the url"
            yield ConfigError("no-privilege", f"{table.store}: {no}", where=check.place, fix=fix)
        elif no.answer.status >= 500:
            raise
        else:
            yield ConfigError("bad-expression", f"{check.name}: {no}", where=check.place, fix="correct the expression")
        return
    if plan.get("isModificationQuery") or any(each.get("type") != "read" for each in plan.get("collections", ())):
        what = f"the expression of {check.name} changes data"
        yield ConfigError("bad-expression", what, where=check.place, fix="look at the document alone")
