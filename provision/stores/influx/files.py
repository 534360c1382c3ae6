"""The documents of an Influx store."""

from __future__ import annotations

from provision.documents.source import Documents
from provision.model import StoreOptions
from provision.stores.influx.migrate.operations import OPERATIONS
from provision.stores.influx.migrate.world import InfluxWorld
from provision.stores.influx.setup.schema import schema


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, InfluxWorld)
