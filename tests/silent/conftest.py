"""Projects whose servers are reached through a proxy that can fall silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.concurrency.conftest import Rows, clickhouse, found, postgres, rows
from tests.concurrency.project import Small
from tests.silent.proxy import Proxy, before

__all__ = ["Rows", "clickhouse", "found", "postgres", "rows"]

Behind = Callable[[str], tuple[Proxy, str]]


@pytest.fixture
def behind() -> Iterator[Behind]:
    """Puts a proxy in front of a server's url; what it returns is the proxy and the url through it."""
    proxies: list[Proxy] = []

    def put(url: str) -> tuple[Proxy, str]:
        proxy, through = before(url)
        proxies.append(proxy)
        return proxy, through

    yield put
    for each in proxies:
        each.close()


@pytest.fixture
def home(postgres: str, behind: Behind) -> tuple[Proxy, str]:
    """A PostgreSQL database behind a proxy."""
    return behind(postgres)


@pytest.fixture
def alone(tmp_path: Path, home: tuple[Proxy, str]) -> Iterator[Small]:
    """A project of that one store."""
    made = Small(tmp_path, {"postgres": home[1]})
    yield made
    for run in made.runs:
        run.clear()
