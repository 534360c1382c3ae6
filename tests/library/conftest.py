"""A project on an empty database of a real server for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.library.shop import Shop
from tests.stores.postgres.projects import database


@pytest.fixture(autouse=True)
def elsewhere(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working directory has nothing to do with the project, and no variable names an environment."""
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    monkeypatch.delenv("PROVISION_ENV", raising=False)


@pytest.fixture
def url(postgres_18: str) -> Iterator[str]:
    with database(postgres_18, "library") as made:
        yield made


@pytest.fixture
def other_url(postgres_18: str) -> Iterator[str]:
    with database(postgres_18, "library_too") as made:
        yield made


@pytest.fixture
def empty_redis(redis_6: str) -> str:
    with redis.Redis.from_url(redis_6) as client:
        client.flushall()
    return redis_6


@pytest.fixture
def shop(tmp_path: Path, url: str) -> Shop:
    """A project with PostgreSQL alone."""
    root = tmp_path / "läden 1"
    root.mkdir()
    return Shop(root, url)


@pytest.fixture
def both(tmp_path: Path, url: str, empty_redis: str) -> Shop:
    """A project with PostgreSQL and Redis."""
    root = tmp_path / "both"
    root.mkdir()
    return Shop(root, url, empty_redis)
