"""Small projects over the servers of the session, each with databases of its own."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import clickhouse_connect
import psycopg
import pytest
from clickhouse_connect.driver.exceptions import DatabaseError

from provision.stores.clickhouse.server import UNKNOWN_DATABASE, UNKNOWN_TABLE
from tests.concurrency.project import Small

Rows = Callable[..., list[tuple[object, ...]]]


def _renamed(url: str, database: str) -> str:
    parts = urlsplit(url)
    return parts._replace(path=f"/{database}", netloc=parts.netloc).geturl()


@pytest.fixture
def postgres(postgres_18: str) -> Iterator[str]:
    """The url of a new database."""
    name = f"small_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield postgres_18.replace("/provision?", f"/{name}?")
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)".encode())


@pytest.fixture
def clickhouse(clickhouse_embedded: str) -> Iterator[str]:
    """The url of a database that is not there yet."""
    name = f"small_{uuid.uuid4().hex[:8]}"
    yield _renamed(clickhouse_embedded, name)
    with clickhouse_connect.get_client(dsn=_renamed(clickhouse_embedded, "default")) as client:
        client.command(f"DROP DATABASE IF EXISTS {name} SYNC")


@pytest.fixture
def small(tmp_path: Path, postgres: str) -> Iterator[Small]:
    """A project of one PostgreSQL store; whatever it started is ended."""
    made = Small(tmp_path, {"postgres": postgres})
    yield made
    for run in made.runs:
        run.clear()


@pytest.fixture
def both(tmp_path: Path, postgres: str, clickhouse: str) -> Iterator[Small]:
    """A project of a PostgreSQL and a ClickHouse store."""
    made = Small(tmp_path, {"postgres": postgres, "clickhouse": clickhouse})
    yield made
    for run in made.runs:
        run.clear()


@pytest.fixture
def rows(postgres: str) -> Rows:
    """The rows of a query on the project's PostgreSQL; none while its table is not there."""

    def asked(sql: str) -> list[tuple[object, ...]]:
        with psycopg.connect(postgres, autocommit=True) as connection:
            try:
                return connection.execute(sql.encode()).fetchall()
            except psycopg.errors.UndefinedTable:
                return []

    return asked


@pytest.fixture
def found(clickhouse: str) -> Rows:
    """The rows of a query on the project's ClickHouse; none while table or database is not there."""

    def asked(sql: str) -> list[tuple[object, ...]]:
        try:
            with clickhouse_connect.get_client(dsn=clickhouse, autogenerate_session_id=False) as client:
                return [tuple(row) for row in client.query(sql).result_rows]
        except DatabaseError as error:
            if error.code in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
                return []
            raise

    return asked
