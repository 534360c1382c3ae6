"""The documents of a Weaviate store."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from provision.documents.source import Documents, schema_of
from provision.model import StoreOptions
from provision.stores.weaviate.migrate import CLASS_SCHEMA
from provision.stores.weaviate.migrate.operations import OPERATIONS
from provision.stores.weaviate.migrate.world import WeaviateWorld


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, WeaviateWorld)


@cache
def schema() -> dict[str, Any]:
    """What `weaviate/NNNN_name.yaml` may hold, as JSON Schema 2020-12: the operations, around the vendor's classes."""
    made = schema_of("A Weaviate migration", OPERATIONS)
    vendors = json.loads(CLASS_SCHEMA.read_text(encoding="utf-8"))
    return {**made, "$comment": vendors["$comment"], "$defs": {**made["$defs"], **vendors["$defs"]}}
