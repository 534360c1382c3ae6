"""ClickHouse, over its HTTP protocol; files and version table are those of clickhouse-migrations."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind


def _build(options: StoreOptions) -> Store:
    from provision.stores.clickhouse.store import ClickhouseStore

    return ClickhouseStore(options)


KIND = Kind(
    name="clickhouse",
    title="ClickHouse",
    package=__name__,
    build=_build,
    driver="clickhouse_connect",
    extra="clickhouse",
    keys={"variables": dict, "version_table": str},
    engine="provision.embedded.clickhouse",
    engine_package="chdb",
)
