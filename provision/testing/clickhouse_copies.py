"""Databases of one ClickHouse server, each made as a migrated one is."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from provision.model import StoreOptions
from provision.stores.clickhouse.server import Client
from provision.stores.clickhouse.setup.changes import changes, parted
from provision.stores.clickhouse.setup.snapshot import taken

_LOOK = """
SELECT name, engine, uuid, create_table_query, total_rows FROM system.tables WHERE database = {database:String}
"""
_HOLD_NOTHING = ("View", "MaterializedView")


class ClickHouseCopies:
    """The database of this process: it has the objects of the migrated one, the rows that revisions left, and no other.

    ClickHouse has no templates. So the tables are emptied for a test that finds them as they were made, and made anew
    for one that does not. The ledger is not among them.
    """

    def __init__(self, url: str) -> None:
        """`url` is the migrated database. Raises UnreachableError, ConfigError."""
        self._parts = urlsplit(url)
        self._model = self._parts.path.strip("/") or "default"
        self._copy = f"provision_{os.environ.get('PYTEST_XDIST_TESTRUNUID', '')[:12]}_{os.getpid()}"
        self._client = Client(self._parts._replace(path="/default").geturl(), "clickhouse")
        objects = taken(StoreOptions("clickhouse", "clickhouse", "", Path(), Path()), url)
        filled = {name for name, engine, *_, rows in self._look(self._model) if rows and engine != "Dictionary"}
        self._makes, self._fills, has_views = list[str](), list[str](), False
        for each in changes({}, objects):  # views come last, so that the rows of a table do not reach them twice
            kind, own = parted(each.object)
            if kind == "function":  # the server has it
                continue
            fill = [f"INSERT INTO `{own}` SELECT * FROM `{self._model}`.`{own}`"] if own in filled else []
            self._makes += [*each.statements, *fill]
            self._fills += fill
            has_views |= kind == "materialized view"
        self._always_anew = has_views and bool(self._fills)
        self._as_made: Sequence[tuple[object, ...]] = ()

    def renew(self) -> str:
        """The url of the database, which has every object and row of the model and no other."""
        now = self._look(self._copy)
        as_made = now and [each[:-1] for each in now] == self._as_made
        if as_made and all(map(_is_emptied, now)) and not self._always_anew:
            self._send(f"TRUNCATE TABLE `{name}`" for name, *_, rows in now if rows)
            self._send(self._fills)
        else:
            self._make()
        return self._parts._replace(path=f"/{self._copy}").geturl()

    def close(self) -> None:
        self._client.command(f"DROP DATABASE IF EXISTS `{self._copy}`")
        self._client.close()

    def _make(self) -> None:
        self._client.command(f"DROP DATABASE IF EXISTS `{self._copy}`")
        self._client.command(f"CREATE DATABASE `{self._copy}`")
        self._send(self._makes)
        self._as_made = [each[:-1] for each in self._look(self._copy)]

    def _send(self, statements: Iterable[str]) -> None:
        for each in statements:
            self._client.command(each, database=self._copy)

    def _look(self, database: str) -> list[tuple[Any, ...]]:
        return self._client.rows(_LOOK, {"database": database})


def _is_emptied(table: tuple[Any, ...]) -> bool:
    """Whether TRUNCATE and a look at its rows are enough: a dictionary keeps what it has read."""
    _, engine, *_, rows = table
    return engine in _HOLD_NOTHING or (rows is not None and engine != "Dictionary")
