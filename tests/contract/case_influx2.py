"""Influx documents on the contract double of InfluxDB 2."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from provision.stores.influx.ledger import InfluxLedger
from provision.stores.influx.version_2 import Server2
from tests.contract.case_influx import InfluxCase
from tests.doubles.served.process import counts, reset
from tests.servers.databases import WORD


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
        self.wipe()

    def seen(self) -> list[str]:
        return [each for each in self.everything() if not each.startswith(("bucket _", "bucket provision_"))]

    def everything(self) -> list[str]:
        buckets = self._ask("buckets")["buckets"]
        mappings = [each for each in self._ask("dbrps")["content"] if not each.get("virtual")]
        tasks = self._ask("tasks")["tasks"]
        return sorted(
            [
                *(f"bucket {each['name']}: {json.dumps(each['retentionRules'])}" for each in buckets),
                *(f"mapping {each['database']}/{each['retention_policy']}: {each['default']}" for each in mappings),
                *(f"task {each['name']}: {each['flux']}" for each in tasks),
            ]
        )

    def wipe(self) -> None:
        reset(self.server_url)

    def close(self) -> None:
        assert counts(self.server_url)["invalid_requests"] == []
        self.wipe()

    def _ask(self, what: str) -> Any:
        asked = urllib.request.Request(
            f"{self.server_url}/api/v2/{what}?org={self.extra['org']}",
            headers={"Authorization": f"Token {self.extra['token']}"},
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)
