"""What a server holds, as a snapshot."""

from __future__ import annotations

from provision.documents.snapshot import objects
from provision.model import StoreOptions
from provision.ports.kind import Objects
from provision.stores.influx.setup.live import objects_found


def taken(options: StoreOptions, url: str) -> Objects:
    """Every object that a document can make, by kind and name, and others. Raises UnreachableError, ConfigError."""
    found, strays = objects_found(options, url)
    return dict(sorted({**objects(found), **strays}.items()))
