"""The JSON Schema of Weaviate documents: the operations, around the vendor's own definition of a class."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from provision.documents.source import schema_of
from provision.stores.weaviate.migrate import CLASS_SCHEMA
from provision.stores.weaviate.migrate.operations import OPERATIONS


@cache
def schema() -> dict[str, Any]:
    """What `weaviate/NNNN_name.yaml` may hold, as JSON Schema 2020-12."""
    made = schema_of("A Weaviate migration", OPERATIONS)
    vendors = json.loads(CLASS_SCHEMA.read_text(encoding="utf-8"))
    return {**made, "$comment": vendors["$comment"], "$defs": {**made["$defs"], **vendors["$defs"]}}
