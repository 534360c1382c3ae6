"""How much the collections of an ArangoDB database hold; it does not tell how fast they grow."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.model.stats import StoreStats, TableStats
from provision.net.http import path_of
from provision.stores.arango.names import OWN
from provision.stores.arango.server import Server, connect


def measured(options: StoreOptions, url: str) -> StoreStats:
    """Documents and sizes of each collection. Raises UnreachableError, ConfigError."""
    server = connect(url, options)
    try:
        with server.reading():
            if server.absent:
                return StoreStats()
            listed = server.ask("GET", "/_api/collection", query={"excludeSystem": "true"})["result"]
            names = sorted(str(each["name"]) for each in listed if not each["name"].startswith(OWN))
            return StoreStats({name: _collection(server, name) for name in names})
    finally:
        server.close()


def _collection(server: Server, name: str) -> TableStats:
    found = server.ask("GET", f"/_api/collection{path_of(name)}/figures")
    figures = found.get("figures", {})
    size, indexes = figures.get("documentsSize"), figures.get("indexes", {}).get("size")
    return TableStats(int(found["count"]), size, indexes)
