"""The engines and databases that a bench runs on; gone when it ends."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import clickhouse_connect
import psycopg

from bench.contenders import at
from provision.embedded import Engine, engine

_NUMBERS = itertools.count(1)


class Postgres:
    """An embedded PostgreSQL; `fresh` gives an empty database."""

    kind = "postgres"

    def __init__(self, url: str) -> None:
        self._url = url
        with psycopg.connect(url) as connection:
            self.version = str(connection.info.parameter_status("server_version"))

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The url of a new database, dropped when the block ends."""
        name = f"bench{next(_NUMBERS)}"
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(f"create database {name}".encode())
            try:
                yield at(self._url, name)
            finally:
                connection.execute(f"drop database {name} with (force)".encode())


class Clickhouse:
    """An embedded ClickHouse; `fresh` gives an empty database."""

    kind = "clickhouse"

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = clickhouse_connect.get_client(dsn=at(url, "default").replace("clickhouse://", "http://", 1))
        self.version = str(self._client.server_version)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The url of a new database, dropped when the block ends."""
        name = f"bench{next(_NUMBERS)}"
        self._client.command(f"create database {name}")
        try:
            yield at(self._url, name)
        finally:
            self._client.command(f"drop database {name}")


@contextmanager
def engines(folder: Path) -> Iterator[tuple[Postgres, Clickhouse]]:
    """Both engines, made in `folder`, stopped and removed when the block ends."""
    made: list[Engine] = [engine(kind, kind, folder) for kind in (Postgres.kind, Clickhouse.kind)]
    try:
        postgres, clickhouse = (str(each.start().url) for each in made)
        yield Postgres(postgres), Clickhouse(clickhouse)
    finally:
        for each in made:
            each.reset()
