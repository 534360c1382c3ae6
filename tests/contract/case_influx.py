"""Influx documents, on InfluxDB 1.6 with a login."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from provision import kinds
from provision.model import StoreOptions
from provision.ports import Store
from provision.stores.influx.ledger import InfluxLedger
from provision.stores.influx.version_1 import Server1
from provision.testing.contract.case import Case

_TIER = "  - create_retention_policy: {{database: app, name: {}, duration: {}}}\n"
_ROLLUP = """\
  - create_rollup:
      database: app
      name: {0}
      from: {{tier: raw, measurement: requests}}
      into: {{tier: {1}, measurement: {0}}}
      every: 1h
      late: 10m
      fields: {{total: sum(bytes), share: sum(bytes) / count(bytes)}}
      group_by: [host]
"""
_FILES = {
    "001_first": ["  - create_database: {name: app}\n"],
    "002_second": [
        _TIER.format("raw", "24h, default: true"),
        _TIER.format("hourly", "30d"),
        _ROLLUP.format("requests_1h", "hourly"),
    ],
    "003_third": [_ROLLUP.format("late_1h", "raw")],
}


class InfluxCase(Case):
    name = kind = "influx"
    leases = False
    spoilt = ""  # an operation that the server refuses

    def build(self, options: StoreOptions) -> Store:
        return kinds.build(options)

    def write(self, folder: Path) -> None:
        for name, operations in _FILES.items():
            self._write(folder, name, operations)

    def spoil(self, folder: Path) -> None:
        first, _, last = _FILES["002_second"]
        self._write(folder, "002_second", [first, self.spoilt, last.replace("tier: hourly", "tier: raw")])

    @staticmethod
    def _write(folder: Path, name: str, operations: list[str]) -> None:
        (folder / f"{name}.yaml").write_text(f"description: {name}\nup:\n{''.join(operations)}down: auto\n")


class Influx1Case(InfluxCase):
    server = "influx_1"
    crash_stride = 3
    crash_points = ((Server1, "run"), (InfluxLedger, "append"))
    spoilt = """\
  - influxql:
      statement: CREATE RETENTION POLICY hourly ON nowhere DURATION 30d REPLICATION 1
      probe: {query: SHOW RETENTION POLICIES ON app, equals: []}
      down: DROP RETENTION POLICY hourly ON app
"""

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        self.wipe()

    def seen(self) -> list[str]:
        tiers = self._rows("SHOW RETENTION POLICIES ON app")
        queries = [row for row in self._rows("SHOW CONTINUOUS QUERIES") if " ON app " in row]
        return sorted([*tiers, *queries])

    def everything(self) -> list[str]:
        found = []
        for name in self._names():
            found += [name, *self._rows(f'SHOW RETENTION POLICIES ON "{name}"')]
            found += self._rows(f'SELECT * FROM "{name}".ledger./.*/')
        return [*found, *self._rows("SHOW CONTINUOUS QUERIES")]

    def wipe(self) -> None:
        for name in self._names():
            self._ask(f'DROP DATABASE "{name}"')

    def close(self) -> None:
        self.wipe()

    def _names(self) -> list[str]:
        return [json.loads(row)[0] for row in self._rows("SHOW DATABASES") if row != '["_internal"]']

    def _rows(self, text: str) -> list[str]:
        (result,) = self._ask(text)["results"]
        return [json.dumps(row) for series in result.get("series", ()) for row in series.get("values", ())]

    def _ask(self, text: str) -> Any:
        parts = urlsplit(self.server_url)
        login = b64encode(f"{parts.username}:{unquote(parts.password or '')}".encode()).decode()
        asked = urllib.request.Request(
            f"http://{parts.hostname}:{parts.port}/query",
            data=urllib.parse.urlencode({"q": text}).encode(),
            headers={"Authorization": f"Basic {login}"},
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            return json.load(answer)
