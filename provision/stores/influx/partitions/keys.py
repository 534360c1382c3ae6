"""The keys of a tier in InfluxDB: `provision.ports.kind.PartitionKeys`. Its `table` is `database.tier`."""

from __future__ import annotations

from provision.partitions.document import KEYS as ALL

KEYS = {name: ALL[name] for name in ("column", "interval", "retain")}
