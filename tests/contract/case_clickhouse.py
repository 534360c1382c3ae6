"""ClickHouse (embedded chDB over HTTP) with clickhouse-migrations as its peer."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import clickhouse_connect
from clickhouse_migrations.clickhouse_cluster import ClickhouseCluster

from provision import kinds
from provision.model import StoreOptions
from provision.ports import Store
from provision.stores.clickhouse.ledger import ClickhouseLedger
from provision.stores.clickhouse.peer import ClickhousePeer
from provision.stores.clickhouse.server import Client
from provision.testing.contract.case import Case

_TABLE = "CREATE TABLE {} (x UInt8) ENGINE = MergeTree ORDER BY x"
_UPS = {
    "001_first": [_TABLE.format("a")],
    "002_second": [_TABLE.format("b1"), "ALTER TABLE a ADD COLUMN y UInt8", "CREATE VIEW b3 AS SELECT x FROM b1"],
    "003_third": [_TABLE.format("c")],
}
_DOWNS = {
    "001_first": ["DROP TABLE a SYNC"],
    "002_second": ["DROP VIEW b3 SYNC", "ALTER TABLE a DROP COLUMN y", "DROP TABLE b1 SYNC"],
    "003_third": ["DROP TABLE c SYNC"],
}
_SPOILT = [_UPS["002_second"][0], "ALTER TABLE nowhere ADD COLUMN y UInt8", _UPS["002_second"][2]]
_NAMES = count(1)


class ClickhouseCase(Case):
    name = kind = "clickhouse"
    peer = True
    server = "clickhouse_embedded"
    leases = False
    refuses_late = refuses_duplicates = False
    crash_stride = 29
    crash_points = (
        (Client, "command"),
        (ClickhouseLedger, "append_all"),
        (ClickhouseLedger, "append_with"),
        (ClickhousePeer, "add"),
        (ClickhousePeer, "remove"),
    )

    def __init__(self, server_url: str) -> None:
        super().__init__(server_url)
        self._database = f"contract_{next(_NAMES)}"
        self.url = f"{server_url.rpartition('/')[0]}/{self._database}"
        self._client = clickhouse_connect.get_client(dsn=f"{server_url.rpartition('/')[0]}/default")

    def build(self, options: StoreOptions) -> Store:
        return kinds.build(options)

    def write(self, folder: Path) -> None:
        for name in _UPS:
            self._write(folder / f"{name}.sql", _UPS[name])
            self._write(folder / f"{name}.down.sql", _DOWNS[name])

    def spoil(self, folder: Path) -> None:
        self._write(folder / "002_second.sql", _SPOILT)

    def seen(self) -> list[str]:
        return [
            row for row in self._rows("database = '{}'") if "schema_versions" not in row and "provision_" not in row
        ]

    def everything(self) -> list[str]:
        names = [str(row[0]) for row in self._client.query("SELECT name FROM system.databases ORDER BY 1").result_rows]
        return [*names, *self._rows("database NOT IN ('system', 'information_schema', 'INFORMATION_SCHEMA')")]

    def wipe(self) -> None:
        self._client.command(f"DROP DATABASE IF EXISTS {self._database} SYNC")

    def close(self) -> None:
        self.wipe()
        self._client.close()

    def apply_outside(self, folder: Path, number: str) -> None:
        self._peer().migrate(self._database, folder, to_version=int(number))

    def revert_outside(self, folder: Path, number: str) -> None:
        self._peer().rollback(self._database, folder, to_version=int(number))

    def forget_outside(self) -> None:
        self._client.command(f"TRUNCATE TABLE {self._database}.schema_versions")

    def _peer(self) -> ClickhouseCluster:
        return ClickhouseCluster(db_url=self.url, driver="clickhouse-connect")

    def _rows(self, where: str) -> list[str]:
        sql = f"SELECT concat(name, ': ', create_table_query) FROM system.tables WHERE {where.format(self._database)}"
        return [str(row[0]) for row in self._client.query(f"{sql} ORDER BY 1").result_rows]

    @staticmethod
    def _write(path: Path, statements: list[str]) -> None:
        path.write_text(";\n".join(statements) + ";\n")
