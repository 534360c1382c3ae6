"""How many objects the collections of a Weaviate server hold; it tells neither sizes nor writes."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.model.stats import StoreStats, TableStats
from provision.stores.weaviate.names import own
from provision.stores.weaviate.server import Server, connect


def measured(options: StoreOptions, url: str) -> StoreStats:
    """Objects of each collection, of its active tenants together. Raises UnreachableError, ConfigError."""
    server = connect(options, url)
    try:
        with server.reading():
            names = [name for name in server.collections() if not own(name)]
            return StoreStats({name: TableStats(_count(server, name)) for name in names})
    finally:
        server.close()


def _count(server: Server, name: str) -> int:
    found = server.collection(name) or {}
    if not found.get("multiTenancyConfig", {}).get("enabled"):
        return server.count(name)
    return sum(server.count(name, tenant) for tenant, status in server.tenants(name).items() if status == "ACTIVE")
