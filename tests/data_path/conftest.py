"""The shipped databases on real engines: every test has a PostgreSQL database at the head of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import psycopg
import pytest
import redis
from psycopg.conninfo import make_conninfo

from provision.testing.databases import ClonePool
from tests.data_path.platform import Platform, brought_up
from tests.vfr.factories.postgres import FEATURE, OTHER_FEATURE, insert_ml_base
from tests.vfr.postgres import migrations
from vfr_data.cache import Cache
from vfr_data.database import Database
from vfr_data.features import FeatureStore

__all__ = ["FEATURE", "OTHER_FEATURE"]

Result = TypeVar("Result")
UNKNOWN = UUID(int=404)
PAIRS = {"postgres_15": "redis_7", "postgres_18": "redis_6"}
NAME = "data_path"
AWAY = "redis://127.0.0.1:1"


@dataclass(frozen=True)
class Site:
    """Where the databases are, and the moment that the stores take for now."""

    postgres: str
    redis: str
    now: datetime
    zone: str = "UTC"

    def run(
        self, work: Callable[[FeatureStore], Awaitable[Result]], cached: bool = True, cache: Cache | None = None
    ) -> Result:
        """Run `work` with a store of its own; the time zone of its sessions is `zone`."""

        async def whole(database: Database, used: Cache) -> Result:
            return await work(FeatureStore(database, used if cached else None, lambda: self.now))

        return self.run_with(whole, cache)

    def run_with(self, work: Callable[[Database, Cache], Awaitable[Result]], cache: Cache | None = None) -> Result:
        """Run `work` with a pool, and the cache given or one of its own; both are closed after it."""

        async def whole() -> Result:
            used = cache or Cache.of(self.redis, timeout=5)
            try:
                async with self.database() as database:
                    return await work(database, used)
            finally:
                await used.aclose()

        return asyncio.run(whole())

    def database(self, **options: Any) -> Database:
        """As an application, which may read and write and no more."""
        return Database(
            make_conninfo(self.postgres, options=f"-c timezone={self.zone} -c role=vfr_app"), size=4, **options
        )

    def at(self, **moved: datetime | str) -> Site:
        return replace(self, **moved)  # type: ignore[arg-type]


@pytest.fixture(scope="session", params=PAIRS)
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[ClonePool, str]]:
    """Databases at the head, with features and models, and the url of a Redis."""
    postgres, redis_url = (request.getfixturevalue(each) for each in (request.param, PAIRS[request.param]))
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute(f"CREATE DATABASE {NAME}")
    url = _other_database(postgres)
    migrations.upgrade(url)
    with psycopg.connect(url, autocommit=True) as connection:
        insert_ml_base(connection)
    pool = ClonePool(url)
    yield pool, redis_url
    pool.close()


def _other_database(url: str) -> str:
    """The url of NAME on the same server."""
    base, _, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{NAME}?{query}"


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """All six stores at their heads, on servers of their own."""
    with brought_up(tmp_path_factory.mktemp("platform")) as made:
        yield made


@pytest.fixture
def site(servers: tuple[ClonePool, str]) -> Iterator[Site]:
    pool, redis_url = servers
    postgres = pool.take()
    # In a minute that has not begun: what is cached until the end of its window is not gone before the test is.
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    # Before each test: other directories' tests may have left keys on the same server.
    with redis.Redis.from_url(redis_url) as client:
        client.flushdb()
    yield Site(postgres, redis_url, minute + timedelta(seconds=100))
    pool.give(postgres)


@pytest.fixture
def sql(site: Site) -> Iterator[psycopg.Connection]:
    with psycopg.connect(site.postgres, autocommit=True) as connection:
        yield connection


@pytest.fixture
def keys(site: Site) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(site.redis) as client:
        yield client
