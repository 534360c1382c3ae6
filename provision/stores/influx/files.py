"""The documents of an Influx store."""

from __future__ import annotations

from typing import Any

from provision.documents.source import Documents, schema_of
from provision.model import StoreOptions
from provision.stores.influx.migrate.operations import OPERATIONS
from provision.stores.influx.migrate.world import InfluxWorld


def documents(options: StoreOptions) -> Documents:
    """The documents of the store's folder, not yet read."""
    return Documents(options, OPERATIONS, schema, InfluxWorld)


def schema() -> dict[str, Any]:
    """What `influx/NNNN_name.yaml` may hold, as JSON Schema 2020-12."""
    return schema_of("An InfluxDB migration", OPERATIONS)
