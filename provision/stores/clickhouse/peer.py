"""clickhouse-migrations' table `schema_versions`: it decides what is applied, for that tool and for us."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from clickhouse_migrations.connection import ClickhouseConnectConnection
from clickhouse_migrations.defaults import MIGRATIONS_TABLE
from clickhouse_migrations.migration import Migration
from clickhouse_migrations.migrator import STATUS_MD5_MISMATCH, STATUS_PENDING, Migrator
from clickhouse_migrations.util import format_table_reference, split_table_reference

from provision.model import Direction, Step, StoreOptions
from provision.stores.clickhouse.files import Script
from provision.stores.clickhouse.server import UNKNOWN_DATABASE, UNKNOWN_TABLE, Client, ServerRefused

_DELETE = "ALTER TABLE {table} DELETE WHERE version = {version} SETTINGS mutations_sync = 2"
_DELETE_OTHERS = "ALTER TABLE {table} DELETE WHERE version = {version} AND md5 != '{md5}' SETTINGS mutations_sync = 2"


class _Questions:
    """As much of a connection as clickhouse-migrations needs to say what is applied."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def query(self, statement: str) -> list[dict[str, Any]]:
        return self._client.records(statement)


class ClickhousePeer:
    """`provision.ports.Peer` over clickhouse-migrations' own status."""

    def __init__(self, client: Client, options: StoreOptions, scripts: Mapping[str, Script]) -> None:
        self._client, self._scripts, self._store = client, scripts, options.name
        self._cluster = str(options.extra.get("cluster", "")) or None
        table = str(options.extra.get("version_table", MIGRATIONS_TABLE))
        self.table = split_table_reference(table)[-1]
        self._table = format_table_reference(*split_table_reference(table))
        self._whole = table

    @cached_property
    def _migrator(self) -> Migrator:
        return Migrator(ClickhouseConnectConnection(self._client.driver()), migrations_table=self._whole)

    def applied(self) -> Mapping[str, bool]:
        known = {script.version: script.revision.id for script in self._scripts.values()}
        try:
            migrations = [_migration(script) for script in self._scripts.values()]
            rows = Migrator(_Questions(self._client), migrations_table=self._whole).migration_status(migrations)
        except ServerRefused as error:
            if error.number in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
                return {}
            raise
        return {
            known.get(row.version, f"{self._store}/{row.version:03d}"): row.state != STATUS_MD5_MISMATCH
            for row in rows
            if row.state != STATUS_PENDING
        }

    @property
    def where(self) -> str:
        return f"{self._table} of {self._client.place}"

    def seen(self) -> str:
        try:
            ((rows,),) = self._client.rows(f"SELECT count() FROM {self._table}")
        except ServerRefused as error:
            if error.number in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
                return f"there is no table {self.table}"
            raise
        return f"table {self.table} has {rows} row{'' if rows == 1 else 's'}"

    def create(self) -> None:
        """Make the peer's table, as the peer itself does."""
        self._client.ask(lambda: self._migrator.init_schema(self._cluster))

    def add(self, script: Script) -> None:
        """The peer's row for an applied script. Its own call would cost a mutation each."""
        fields = {"version": script.version, "md5": script.md5, "script": script.up}
        self._client.insert_rows(self._table, [fields])

    def _refresh(self, script: Script) -> None:
        """Make the peer's row say what the file says now, so that the peer takes the edited file too."""
        # The new row first: the version is never without one.
        self.add(script)
        self._client.command(_DELETE_OTHERS.format(table=self._table, version=script.version, md5=script.md5))

    def remove(self, version: int) -> None:
        """Take the peer's row away, as its rollback does; visible at once on every replica."""
        self._client.command(_DELETE.format(table=self._table, version=version))

    def stamp(self, steps: Sequence[Step]) -> None:
        self.create()
        there = self.applied()
        for step in steps:
            if step.direction is Direction.UP and step.id in there:
                self._refresh(self._scripts[step.id])
            elif step.direction is Direction.UP:
                self.add(self._scripts[step.id])
            else:
                self.remove(int(step.revision.number))


def _migration(script: Script) -> Migration:
    return Migration(version=script.version, md5=script.md5, script=script.up)
