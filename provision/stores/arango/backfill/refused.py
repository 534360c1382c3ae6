"""What is wrong with a backfill of edges, asked of ArangoDB before a row is read: collections, columns, names."""

from __future__ import annotations

from collections.abc import Iterator

from provision.errors import ConfigError
from provision.model.backfills import Backfill
from provision.stores.arango.backfill.edges import Pattern
from provision.stores.arango.migrate.operations.base import Live
from provision.stores.arango.migrate.world import EDGE
from provision.stores.arango.server import Server
from provision.text.nearest import near


def refused(server: Server, backfill: Backfill, pattern: Pattern) -> Iterator[ConfigError]:
    """Raises ServerRefused, http.Unanswered."""
    yield from _unknown_columns(backfill, pattern)
    live = Live(server)
    found = None if server.absent else live.collection(pattern.collection)
    if found is None:
        yield _unknown(server, backfill, pattern.collection, "edges")
    elif found["type"] != EDGE:
        what, fix = f"{pattern.collection} is no collection of edges", "name one that holds edges"
        yield ConfigError("not-a-table", what, where=backfill.place("edges"), fix=fix)
    for end, name in pattern.vertices.items():
        if server.absent or live.collection(name) is None:
            yield _unknown(server, backfill, name, end)


def _unknown(server: Server, backfill: Backfill, name: str, key: str) -> ConfigError:
    listed = [] if server.absent else server.ask("GET", "/_api/collection", query={"excludeSystem": "true"})["result"]
    fix = near(name, [str(each["name"]) for each in listed], "its collections")
    return ConfigError(
        "unknown-table", f"{backfill.store} has no collection {name}", where=backfill.place(key), fix=fix
    )


def _unknown_columns(backfill: Backfill, pattern: Pattern) -> Iterator[ConfigError]:
    """An error for each template that uses what `from` does not read."""
    assert backfill.origin is not None
    read = backfill.origin.body["columns"]
    assert isinstance(read, dict | list)
    known = [str(each) for each in read]
    for column, steps in pattern.columns():
        if column not in known:
            what = f"`from` reads no column {column}"
            yield ConfigError(
                "unknown-column", what, where=backfill.place(*steps), fix=near(column, known, "its columns")
            )
