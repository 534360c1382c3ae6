"""The documents of a Weaviate store."""

from __future__ import annotations

from provision.documents.source import Documents
from provision.model import StoreOptions
from provision.stores.weaviate.migrate.operations import OPERATIONS
from provision.stores.weaviate.migrate.world import WeaviateWorld
from provision.stores.weaviate.setup.schema import schema


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, WeaviateWorld)
