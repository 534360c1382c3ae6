"""Writes the next document of an Influx store, commented so that it can be filled without looking anything up."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from provision.documents import folder
from provision.model import StoreOptions

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


def write(options: StoreOptions, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write `NNNN_slug.yaml` and return its path. Raises ConfigError (bad-message) and OSError."""
    return folder.write(options, message, requires, _EXAMPLE)
