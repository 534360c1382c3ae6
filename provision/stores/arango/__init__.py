"""ArangoDB: documents of operations."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store


def build(options: StoreOptions) -> Store:
    """The store for these options; loads no driver and connects to nothing."""
    from provision.stores.arango.store import ArangoStore

    return ArangoStore(options)
