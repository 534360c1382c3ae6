"""ClickHouse, over its HTTP protocol; files and version table are those of clickhouse-migrations."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store


def build(options: StoreOptions) -> Store:
    """The store, not yet connected."""
    from provision.stores.clickhouse.store import ClickhouseStore

    return ClickhouseStore(options)
