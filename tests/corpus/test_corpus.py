"""Each case does its harm on a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from tests.corpus.cases import LINTERS, Case, defects, every, without
from tests.corpus.engines import harmed

SERVERS = {
    "postgres": "postgres_18",
    "redis": "redis_7",
    "influx": "influx_1",
    "weaviate": "weaviate",
    "arango": "arango",
}  # ClickHouse: here


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty database for a case."""
    case: Case = request.getfixturevalue("case")
    fixture = case.server or SERVERS.get(case.kind)
    server = request.getfixturevalue(fixture) if fixture is not None else ""
    if case.kind != "postgres":
        yield server
        return
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


def test_each_defect_of_the_design_documents_is_a_case_or_says_why_not() -> None:
    cases = {int(each.source.rpartition(" ")[2]) for each in defects()}
    assert cases | {*without()} == {*range(1, 65)}
    assert not cases & {*without()}
    assert all(without().values())
