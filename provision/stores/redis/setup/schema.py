"""The JSON Schema of Redis documents, put together from the operations."""

from __future__ import annotations

from typing import Any

from provision.documents.source import schema_of
from provision.stores.redis.migrate.operations import OPERATIONS


def schema() -> dict[str, Any]:
    """What `redis/NNNN_name.yaml` may hold, as JSON Schema 2020-12."""
    return schema_of("A Redis migration", OPERATIONS)
