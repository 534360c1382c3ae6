"""The servers that every suite may ask for by name; each is started by the first test that does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import databases


@pytest.fixture(scope="session")
def postgres_15() -> Iterator[str]:
    with databases.postgres_15_url() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_18() -> Iterator[str]:
    with databases.embedded_url("postgres") as url:
        yield url


@pytest.fixture(scope="session")
def clickhouse_embedded() -> Iterator[str]:
    with databases.embedded_url("clickhouse") as url:
        yield url


@pytest.fixture(scope="session")
def redis_6() -> Iterator[str]:
    with databases.embedded_url("redis") as url:
        yield url


@pytest.fixture(scope="session")
def redis_7() -> Iterator[str]:
    with databases.redis_7_url() as url:
        yield url
