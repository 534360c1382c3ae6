"""The ledger in table `provision_ledger` of the migrated database, and the pictures that probes need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from provision.errors import ConfigError
from provision.model import Event
from provision.model.schema import UnknownForm, not_ours
from provision.stores.clickhouse.server import (
    UNKNOWN_DATABASE,
    UNKNOWN_IDENTIFIER,
    UNKNOWN_TABLE,
    Client,
    ServerRefused,
)

TABLE = "provision_ledger"
_COLUMNS = "project, store, token, n, revision, kind, checksum, at, actor, duration_ms, statement, detail, picture"
_CREATE = """
CREATE TABLE IF NOT EXISTS provision_ledger{on_cluster} (
    project String, store String, token UInt64, n UInt64, revision String, kind String,
    checksum String, at DateTime64(6, 'UTC'), actor String, duration_ms UInt64, statement UInt32,
    detail String, picture String
) ENGINE = {engine} ORDER BY (project, store, token, n)
COMMENT 'What provision did to this database; append-only, keep it in backups'
"""
_ROW = """
SELECT {{project{i}:String}}, {{store{i}:String}}, {{token{i}:UInt64}}, {{n{i}:UInt64}}, {{revision{i}:String}},
    {{kind{i}:String}}, {{checksum{i}:String}}, fromUnixTimestamp64Micro({{at{i}:Int64}}, 'UTC'), {{actor{i}:String}},
    {{duration_ms{i}:UInt64}}, {{statement{i}:UInt32}}, {{detail{i}:String}}, {picture}
"""
_READ = """
SELECT DISTINCT * FROM provision_ledger
WHERE project = {project:String} AND store = {store:String} ORDER BY token, n
"""


class ClickhouseLedger:
    """`provision.ports.Ledger`. ClickHouse has no unique keys: the holder's own deadline keeps late writers out."""

    def __init__(self, client: Client, project: str, store: str, cluster: str = "") -> None:
        self._client, self._project, self._store, self._cluster = client, project, store, cluster

    def read(self) -> Sequence[Event]:
        try:
            rows = self._client.records(_READ, {"project": self._project, "store": self._store})
        except ServerRefused as error:
            if error.number in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
                return []
            if error.number == UNKNOWN_IDENTIFIER:
                raise self._unreadable(f"table {TABLE}", UnknownForm(error)) from None
            raise
        return [self._event(row) for row in rows]

    def _event(self, row: Mapping[str, Any]) -> Event:
        try:
            return _event(row)
        except (KeyError, TypeError, ValueError) as error:
            raise self._unreadable(f"row {row.get('token')}/{row.get('n')} of {TABLE}", error) from None

    def _unreadable(self, what: str, error: Exception) -> ConfigError:
        fix = "bring back what is missing, or set another project name"
        return ConfigError("ledger-unreadable", not_ours(what, error), where=self._store, fix=fix)

    def create(self) -> None:
        on_cluster = f" ON CLUSTER `{self._cluster}`" if self._cluster else ""
        engine = "ReplicatedMergeTree" if self._cluster else "MergeTree"
        self._client.command(_CREATE.format(on_cluster=on_cluster, engine=engine))

    def append(self, event: Event) -> None:
        self.append_all([event])

    def append_all(self, events: Sequence[Event], picture: str = "") -> None:
        """Add events in one insert, which a server does all or not at all; `picture` goes to the last one."""
        rows = [{**_parameters(event, self._store), "at": f"{event.at:%Y-%m-%d %H:%M:%S.%f}"} for event in events]
        pictures = [*[""] * (len(rows) - 1), picture]
        self._client.insert_rows(TABLE, [{**row, "picture": each} for row, each in zip(rows, pictures, strict=True)])

    def append_with(self, events: Sequence[Event], picture: str) -> None:
        """As `append_all`, with what the SQL expression `picture` yields at that moment."""
        pictures = [*["''"] * (len(events) - 1), f"({picture})"]
        rows = " UNION ALL ".join(_ROW.format(i=i, picture=each) for i, each in enumerate(pictures))
        named = {
            f"{name}{i}": value
            for i, each in enumerate(events)
            for name, value in _parameters(each, self._store).items()
        }
        self._client.insert(f"INSERT INTO {TABLE} ({_COLUMNS}) {rows}", named)

    def raise_fence(self, token: int) -> None:
        """Nothing: ClickHouse can refuse no insert by another row."""


def _parameters(event: Event, store: str) -> dict[str, object]:
    at = round(event.at.timestamp() * 1_000_000)
    return {**event.record(), "store": store, "at": at, "statement": event.statement or 0}


def _event(found: Mapping[str, Any]) -> Event:
    event = Event.of(found)
    return replace(event, detail={**event.detail, "picture": found["picture"]}) if found["picture"] else event
