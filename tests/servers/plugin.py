"""The servers that every suite may ask for by name: each fixture gives a url, or what its docstring says.

Those that the collected tests name are launched together before the first test; a fixture waits for its own only.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

import pytest

from tests.servers import databases
from tests.servers.engines import EmbeddedEngine
from tests.servers.required import required
from tests.servers.running import roomy
from tests.servers.sweeper import Sweeper


class Launched(Protocol):
    """What tests.servers.running.Server tells of each of its methods."""

    @property
    def url(self) -> str: ...
    def launch(self) -> None: ...
    def wait(self) -> None: ...
    def ask_to_stop(self) -> None: ...
    def stop(self) -> None: ...


_MADE: dict[str, Callable[[Path], Launched]] = {
    "postgres_15": databases.Postgres15,
    "redis_7": databases.Redis7,
    "influx_1": databases.Influx1,
    "influx_1_quick": partial(databases.Influx1, interval="1s"),
    "influx_2": databases.Influx2,
    "weaviate": databases.Weaviate,
    "postgres_18": partial(EmbeddedEngine, "postgres"),
    "clickhouse_embedded": partial(EmbeddedEngine, "clickhouse"),
    "redis_6": partial(EmbeddedEngine, "redis"),
}
# Fixtures that stand on another.
_NEEDS = {"weaviate_grpc": "weaviate", "weaviate_server": "weaviate"}


class Servers:
    """The servers of one test run, in one folder. However the run ends, the folder goes, and with it each server."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"provision-tests-{os.getpid()}-", dir=roomy()))
        self.folder.chmod(0o755)  # PostgreSQL runs as another user than root
        self.running: dict[str, Launched] = {}
        self._sweeper = Sweeper(self.folder)

    def launch(self, name: str) -> Launched:
        """The server, launched if it was not."""
        if name not in self.running:
            self.running[name] = _MADE[name](self.folder / name)
            self.running[name].launch()
        return self.running[name]

    def ready(self, name: str) -> Launched:
        """The server, when it answers. Skips, or fails where it is required, when it is not installed."""
        made = self.launch(name)
        made.wait()
        return made

    def close(self) -> None:
        for each in self.running.values():
            each.ask_to_stop()
        for each in self.running.values():
            each.stop()
        self._sweeper.sweep()


_SERVERS = pytest.StashKey[Servers]()


def servers(config: pytest.Config) -> Servers:
    """The servers of this run."""
    if _SERVERS not in config.stash:
        config.stash[_SERVERS] = Servers()
    return config.stash[_SERVERS]


def pytest_configure() -> None:
    required()


def pytest_collection_finish(session: pytest.Session) -> None:
    if session.config.option.collectonly:
        return
    named = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted({_NEEDS.get(each, each) for each in named} & set(_MADE)):
        servers(session.config).launch(name)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SERVERS in config.stash:
        config.stash[_SERVERS].close()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was missing, each once."""
    said = {str(each.longrepr[2]) for each in terminalreporter.stats.get("skipped", ()) if each.longrepr}
    for reason in sorted(each.removeprefix("Skipped: ") for each in said if "not run: " in each):
        terminalreporter.line(reason)


@pytest.fixture(scope="session")
def postgres_15(pytestconfig: pytest.Config) -> str:
    return servers(pytestconfig).ready("postgres_15").url


@pytest.fixture(scope="session")
def redis_7(pytestconfig: pytest.Config) -> str:
    return servers(pytestconfig).ready("redis_7").url


@pytest.fixture(scope="session")
def influx_1(pytestconfig: pytest.Config) -> str:
    """InfluxDB 1.6 with the administrator in the url."""
    return servers(pytestconfig).ready("influx_1").url


@pytest.fixture(scope="session")
def influx_1_quick(pytestconfig: pytest.Config) -> str:
    """As influx_1, but continuous queries are looked after, and retention is enforced, every second."""
    return servers(pytestconfig).ready("influx_1_quick").url


@pytest.fixture(scope="session")
def influx_2(pytestconfig: pytest.Config) -> str:
    """InfluxDB 2.7: organization `vfr`, token `word`, keys of an environment beside the url."""
    return servers(pytestconfig).ready("influx_2").url


@pytest.fixture(scope="session")
def weaviate_server(pytestconfig: pytest.Config) -> databases.Weaviate:
    """The server behind `weaviate`, with `url` and `grpc`."""
    server = servers(pytestconfig).ready("weaviate")
    assert isinstance(server, databases.Weaviate)
    return server


@pytest.fixture(scope="session")
def weaviate(weaviate_server: databases.Weaviate) -> str:
    return weaviate_server.url


@pytest.fixture(scope="session")
def weaviate_grpc(weaviate_server: databases.Weaviate) -> str:
    """host:port of the gRPC service of `weaviate`."""
    return weaviate_server.grpc


@pytest.fixture(scope="session")
def postgres_18(pytestconfig: pytest.Config) -> str:
    return servers(pytestconfig).ready("postgres_18").url


@pytest.fixture(scope="session")
def clickhouse_embedded(pytestconfig: pytest.Config) -> str:
    return servers(pytestconfig).ready("clickhouse_embedded").url


@pytest.fixture(scope="session")
def redis_6(pytestconfig: pytest.Config) -> str:
    return servers(pytestconfig).ready("redis_6").url


@pytest.fixture(scope="session")
def arango() -> Iterator[str]:
    """The contract double of ArangoDB, user root with the password `word`; no database in the url."""
    from tests.doubles.arango import arango_double

    with arango_double(password=databases.WORD) as url:
        yield url.replace("://", f"://root:{databases.WORD}@", 1)
