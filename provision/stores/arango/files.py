"""The documents of an ArangoDB store."""

from __future__ import annotations

from provision.documents.source import Documents
from provision.model import StoreOptions
from provision.stores.arango.migrate.operations import OPERATIONS
from provision.stores.arango.migrate.world import ArangoWorld
from provision.stores.arango.setup.schema import schema


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, ArangoWorld)
