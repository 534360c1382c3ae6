"""The documents of a Redis store."""

from __future__ import annotations

from typing import Any

from provision.documents.source import Documents, schema_of
from provision.model import StoreOptions
from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.migrate.world import RedisWorld


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, RedisWorld)


def schema() -> dict[str, Any]:
    """What `redis/NNNN_name.yaml` may hold, as JSON Schema 2020-12."""
    return schema_of("A Redis migration", OPERATIONS)
