"""Projects whose servers are reached through a proxy that can fall silent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.concurrency.conftest import Rows, clickhouse, found, postgres, rows
from tests.concurrency.project import Small
from tests.silent.proxy import Proxy, tcp, unix

__all__ = ["Rows", "clickhouse", "found", "postgres", "rows"]

Behind = Callable[[str], tuple[Proxy, str]]


@pytest.fixture
def behind() -> Iterator[Behind]:
    """Puts a proxy in front of a server's url; what it returns is the proxy and the url through it."""
    proxies: list[Proxy] = []

    def put(url: str) -> tuple[Proxy, str]:
        parts = urlsplit(url)
        if parts.query.startswith("host="):
            folder = unquote(parts.query.removeprefix("host="))
            proxies.append(Proxy(unix(f"{folder}/.s.PGSQL.5432")))
        else:
            assert parts.hostname
            assert parts.port
            proxies.append(Proxy(tcp(parts.hostname, parts.port)))
        login = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        netloc = f"{login}127.0.0.1:{proxies[-1].port}"
        query = "" if parts.query.startswith("host=") else parts.query
        return proxies[-1], parts._replace(netloc=netloc, query=query).geturl()

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
