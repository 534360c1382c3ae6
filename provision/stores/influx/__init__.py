"""InfluxDB: documents of operations."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind


def _build(options: StoreOptions) -> Store:
    from provision.stores.influx.store import InfluxStore

    return InfluxStore(options)


KIND = Kind(
    name="influx",
    title="InfluxDB",
    package=__name__,
    build=_build,
    driver="influxdb_client",
    extra="influx",
    engine="provision.embedded.influx",
    program="influxd",
)
