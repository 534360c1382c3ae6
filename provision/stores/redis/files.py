"""The documents of a Redis store."""

from __future__ import annotations

from provision.documents.source import Documents
from provision.model import StoreOptions
from provision.stores.redis.migrate.operations import OPERATIONS
from provision.stores.redis.migrate.world import RedisWorld
from provision.stores.redis.setup.schema import schema


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, RedisWorld)
