"""The documents of an ArangoDB store."""

from __future__ import annotations

from typing import Any

from provision.documents.source import Documents, schema_of
from provision.model import StoreOptions
from provision.stores.arango.migrate.operations import OPERATIONS
from provision.stores.arango.migrate.world import ArangoWorld


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, ArangoWorld)


def schema() -> dict[str, Any]:
    """What `arango/NNNN_name.yaml` may hold, as JSON Schema 2020-12."""
    return schema_of("An ArangoDB migration", OPERATIONS)
