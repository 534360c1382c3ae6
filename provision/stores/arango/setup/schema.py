"""The JSON Schema of ArangoDB documents: the operations, around the vendor's own bodies."""

from __future__ import annotations

from typing import Any

from provision.documents.source import schema_of
from provision.stores.arango.migrate.operations import OPERATIONS


def schema() -> dict[str, Any]:
    """What `arango/NNNN_name.yaml` may hold, as JSON Schema 2020-12."""
    return schema_of("An ArangoDB migration", OPERATIONS)
