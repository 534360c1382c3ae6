"""InfluxDB: documents of operations."""

from __future__ import annotations

from provision.documents.kind import DocumentKind
from provision.model import StoreOptions
from provision.ports import Store

_EXAMPLE = """\
#  - create_database: {name: app}
#  - create_retention_policy: {database: app, name: raw, duration: 7d, default: true}
#  - create_retention_policy: {database: app, name: hourly, duration: 365d}
#  - create_rollup:
#      database: app
#      name: requests_1h
#      from: {tier: raw, measurement: requests}
#      into: {tier: hourly, measurement: requests_1h}
#      every: 1h
#      late: 10m                    # points that come so late are still counted
#      fields: {requests: count(status), bytes: sum(bytes)}
#      group_by: [host]             # or "*" for every tag
"""


def _build(options: StoreOptions) -> Store:
    from provision.stores.influx.store import InfluxStore

    return InfluxStore(options)


KIND = DocumentKind(
    name="influx",
    title="InfluxDB",
    package=__name__,
    build=_build,
    driver="influxdb_client",
    extra="influx",
    engine="provision.embedded.influx",
    program="influxd",
    other_engines={"influx2": ("provision.embedded.influx2", "influxd2")},
    keys={"version": int},
    example=_EXAMPLE,
)
