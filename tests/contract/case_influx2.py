"""Influx documents on InfluxDB 2.7."""

from __future__ import annotations

import json
from collections.abc import Mapping

from provision.stores.influx.ledger import InfluxLedger
from provision.stores.influx.version_2 import Server2
from tests.contract.case_influx import InfluxCase
from tests.servers.databases import WORD
from tests.stores.influx.api import Api


class Influx2Case(InfluxCase):
    server = "influx_2"
    extra: Mapping[str, object] = {"org": "vfr", "token": WORD}
    crash_stride = 19
    crash_points = (
        (Server2, "create_tier"),
        (Server2, "_map"),
        (Server2, "drop_tier"),
        (Server2, "create_rollup"),
        (Server2, "drop_rollup"),
        (InfluxLedger, "append"),
    )
    spoilt = """\
  - flux:
      script: from(bucket:"nowhere") |> range(start:-1h)
      probe: {query: 'from(bucket:"app/raw") |> range(start:-1h)', equals: [[1]]}
      down: from(bucket:"app/raw") |> range(start:-1h)
"""

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        self.api = Api(server_url)
        self.wipe()

    def seen(self) -> list[str]:
        return [each for each in self.everything() if not each.startswith(("bucket _", "bucket provision_"))]

    def everything(self) -> list[str]:
        buckets = self.api.ask("GET", "/api/v2/buckets?org=vfr&limit=100")["buckets"]
        return sorted(
            [
                *(f"bucket {each['name']}: {json.dumps(each['retentionRules'])}" for each in buckets),
                *(f"mapping {name}: {default}" for name, default in self.api.mappings().items()),
                *(f"task {name}: {each['flux']}" for name, each in self.api.tasks().items()),
            ]
        )

    def wipe(self) -> None:
        self.api.wipe()

    def close(self) -> None:
        self.wipe()
