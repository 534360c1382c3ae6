"""The keys of a partitioned table in ClickHouse: `provision.ports.kind.PartitionKeys`."""

from __future__ import annotations

from provision.partitions.document import KEYS as ALL

KEYS = {name: ALL[name] for name in ("column", "interval", "retain")}
