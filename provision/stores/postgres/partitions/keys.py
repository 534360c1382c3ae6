"""The keys of a partitioned table in PostgreSQL: `provision.ports.kind.PartitionKeys`."""

from __future__ import annotations

from provision.partitions.document import KEYS as ALL

KEYS = ALL
