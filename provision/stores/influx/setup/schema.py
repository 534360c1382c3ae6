"""The JSON Schema of Influx documents, put together from the operations."""

from __future__ import annotations

from typing import Any

from provision.documents.source import schema_of
from provision.stores.influx.migrate.operations import OPERATIONS


def schema() -> dict[str, Any]:
    """What `influx/NNNN_name.yaml` may hold, as JSON Schema 2020-12."""
    return schema_of("An InfluxDB migration", OPERATIONS)
