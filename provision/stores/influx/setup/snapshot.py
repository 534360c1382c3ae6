"""What a server holds, as a snapshot."""

from __future__ import annotations

from provision.documents.snapshot import objects
from provision.model import StoreOptions
from provision.ports.kind import Objects
from provision.stores.influx.setup.live import found


def taken(options: StoreOptions, url: str) -> Objects:
    """Every object that a document can make, by kind and name. Raises UnreachableError, ConfigError."""
    return objects(found(options, url))
