"""How much the tiers of an InfluxDB server hold; to count points it would have to read them all."""

from __future__ import annotations

from provision.errors import CapabilityMissing
from provision.model import StoreOptions
from provision.model.stats import StoreStats
from provision.stores.influx.connect import connect
from provision.stores.influx.names import OWN


def measured(options: StoreOptions, url: str) -> StoreStats:
    """Bytes of each tier, and the points a second since the server started. Raises CapabilityMissing for InfluxDB 2,
    UnreachableError, ConfigError."""
    server = connect(options, url)
    try:
        found = server.sizes()
    finally:
        server.close()
    if found is None:
        why = f"InfluxDB {server.version} shows them in /metrics alone"
        raise CapabilityMissing(options.name, "statistics", why, "look there")
    return StoreStats({name: each for name, each in found.items() if not name.startswith(OWN)})
