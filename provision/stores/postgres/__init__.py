"""PostgreSQL, driven through Alembic."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store


def build(options: StoreOptions) -> Store:
    """The store, not yet connected."""
    from provision.stores.postgres.store import PostgresStore

    return PostgresStore(options)
