"""Parity asked of two live stores directly, without suites and files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import psycopg

from provision.errors import ProvisionError
from provision.model.checks import Check, Scope, Table
from provision.stores.clickhouse.server import Client
from provision.stores.clickhouse.validate.checks import ClickhouseChecks
from provision.stores.postgres.server import connect
from provision.stores.postgres.validate.checks import PostgresChecks
from provision.validate.across import AcrossResult, CheckContext
from provision.validate.parity import Parity


@dataclass(frozen=True)
class Stores:
    """A PostgreSQL called `postgres`, at `url`, and a ClickHouse called `clickhouse`."""

    world: CheckContext
    url: str
    connection: psycopg.Connection[Any]
    client: Any

    def sql(self, *statements: str) -> None:
        for each in statements:
            self.connection.execute(each.encode())

    def ch(self, *statements: str) -> None:
        for each in statements:
            self.client.command(each)

    def table(self, store: str, name: str, column: str, values: Sequence[str], settings: str = "") -> None:
        """A table of `id`, which counts from 1, and a column called `v` that holds these literals."""
        listed = ", ".join(f"({n}, {value})" for n, value in enumerate(values, 1))
        if store == "postgres":
            self.sql(f"drop table if exists {name}", f"create table {name} (id integer primary key, v {column})")
            self.sql(f"insert into {name} values {listed}")
        else:
            self.ch(f"DROP TABLE IF EXISTS {name}")
            self.ch(f"CREATE TABLE {name} (id UInt32, v {column}) ENGINE = MergeTree ORDER BY id {settings}")
            self.ch(f"INSERT INTO {name} VALUES {listed}")

    def refused(self, ours: str, theirs: str, **body: Any) -> Sequence[ProvisionError]:
        check, table = _asked(ours, theirs, body)
        return Parity().refused(check, table, self.world)

    def parity(self, ours: str, theirs: str, *, limit: int = 100, **body: Any) -> AcrossResult:
        """Compare two tables, each written `store table`."""
        check, table = _asked(ours, theirs, body)
        assert Parity().refused(check, table, self.world) == []
        return Parity().find(check, table, Scope(), self.world, 0, limit)

    def differing(self, ours: str, theirs: str, **body: Any) -> list[object]:
        """The first key column of every row that differs."""
        found = self.parity(ours, theirs, **body)
        assert found.tally.bad == len(found.samples)
        return sorted(next(iter(row.values())) for row in found.samples)  # type: ignore[type-var]


def _asked(ours: str, theirs: str, body: dict[str, Any]) -> tuple[Check, Table]:
    (store, name), (other, their_name) = ours.split(), theirs.split()
    whole = {"with": {"store": other, "table": their_name}, "key": "id", "columns": ["v"], **body}
    check = Check("same", "parity", whole, place="checks/same.yaml:4:5")
    return check, Table(store, name, (check,))


@contextmanager
def stores(postgres: str, clickhouse: str, name: str) -> Iterator[Stores]:
    """In databases of that name on both servers."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name}".encode())
        connection.execute(f"create database {name}".encode())
    with clickhouse_connect.get_client(dsn=_in(clickhouse, "default"), autogenerate_session_id=False) as client:
        client.command(f"CREATE DATABASE IF NOT EXISTS {name}")
    here, there = _in(postgres, name), _in(clickhouse, name)
    ours = PostgresChecks(lambda: connect(here, "postgres"))
    theirs = ClickhouseChecks(lambda: Client(there, "clickhouse"))
    world = CheckContext({"postgres": ours, "clickhouse": theirs}, lambda _table, _check: ())
    with (
        psycopg.connect(here, autocommit=True) as connection,
        clickhouse_connect.get_client(dsn=there, autogenerate_session_id=False) as client,
    ):
        yield Stores(world, here, connection, client)
    ours.close()
    theirs.close()


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
