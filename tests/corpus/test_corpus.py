"""Each case does its harm on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.corpus.cases import LINTERS, Case, every
from tests.corpus.engines import harmed

pytestmark = pytest.mark.data
SERVERS = {"redis": "redis_7", "influx": "influx_1", "weaviate": "weaviate", "arango": "arango"}  # ClickHouse: here


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database for a case."""
    case: Case = request.getfixturevalue("case")
    if case.kind != "postgres":
        server = SERVERS.get(case.kind)
        yield request.getfixturevalue(server) if server is not None else ""
        return
    server = request.getfixturevalue("postgres_18")
    name = f"corpus_{case.name.replace('-', '_')}"
    with psycopg.connect(server, autocommit=True) as own:
        own.execute(f'create database "{name}"'.encode())
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        own.execute(f'drop database "{name}" with (force)'.encode())


@pytest.mark.parametrize("case", [pytest.param(each, id=each.name) for each in every()])
def test_case_does_its_harm(case: Case, place: str) -> None:
    harmed(case, place)


def test_cases_are_told_apart_and_say_where_they_come_from() -> None:
    names = [each.name for each in every()]
    assert sorted(names) == sorted({*names})
    assert all(each.source and each.fact and {*each.names} <= {*LINTERS} for each in every())
