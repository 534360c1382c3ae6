"""Fixtures that give every test a migrated database of its own, in milliseconds.

In a conftest.py of the root: `pytest_plugins = ["provision.testing.databases"]`. The embedded engines of the project
are started in a folder of the test run, moved to the newest revision once, and ended with it; the processes of
pytest-xdist share them. A test that asks for `provisioned_postgres` gets the url of a clone made ahead of time, one
that asks for `provisioned_redis` that of a database whose keys are copied again for it, one that asks for
`provisioned_clickhouse` that of a database whose tables are made for it.
"""

from __future__ import annotations

import itertools
import os
import queue
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from provision import settings
from provision.project import Project
from provision.testing.redis_copies import RedisCopies

if TYPE_CHECKING:
    from provision.testing.clickhouse_copies import ClickHouseCopies

READY = 4  # clones that wait for a test
PATIENCE = 60.0  # seconds until a template is nobody's
_FOLDER = pytest.StashKey[str]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Two settings of pytest's own file."""
    parser.addini("provision_root", "the folder of provision.toml, from the root of the tests", default=".")
    parser.addini("provision_env", "the environment whose embedded engines are used", default="")


def pytest_configure(config: pytest.Config) -> None:
    """One folder of engines for the run, whoever of its processes starts them."""
    given = getattr(config, "workerinput", {}).get("provision_engines")
    config.stash[_FOLDER] = given or tempfile.mkdtemp(prefix="provision-tests-")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a process of pytest-xdist where the engines are."""
    node.workerinput["provision_engines"] = node.config.stash[_FOLDER]


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the engines, once every process has ended."""
    if hasattr(config, "workerinput"):
        return
    folder = Path(config.stash[_FOLDER])
    if (folder / "engines").exists():
        _project(config).reset_engines()
    for each in (folder / "engines", folder):
        if each.exists():
            each.rmdir()


def _project(config: pytest.Config) -> Project:
    root = config.rootpath / str(config.getini("provision_root"))
    name = str(config.getini("provision_env")) or settings.embedded_environment(settings.load(root))
    return Project.open(root, name, engines=Path(config.stash[_FOLDER]) / "engines")


@pytest.fixture(scope="session")
def provisioned(pytestconfig: pytest.Config) -> Project:
    """The project on engines of this test run, every revision applied. Raises as `Project.up` does."""
    project = _project(pytestconfig)
    project.start_engines()
    project.up(allow_destructive=True)
    return project


@pytest.fixture(scope="session")
def provisioned_postgres_pool(provisioned: Project) -> Iterator[ClonePool]:
    """Clones of the project's first PostgreSQL store."""
    url = _first(provisioned, "postgres")
    _in_memory(url)
    pool = ClonePool(url)
    yield pool
    pool.close(drop=False)  # the engine goes with all of them


def _first(project: Project, kind: str) -> str:
    """The url of the first store of a kind."""
    return project.url(next(each.name for each in settings.load(project.root).stores if each.kind == kind))


@pytest.fixture(scope="session")
def provisioned_redis_copies(provisioned: Project) -> Iterator[RedisCopies]:
    """Databases with the keys of the project's first Redis store."""
    copies = RedisCopies(_first(provisioned, "redis"))
    yield copies
    copies.close()


@pytest.fixture
def provisioned_redis(provisioned_redis_copies: RedisCopies) -> str:
    """The url of a database that has what every revision left, and no key of another test."""
    return provisioned_redis_copies.renew()


@pytest.fixture(scope="session")
def provisioned_clickhouse_copies(provisioned: Project) -> Iterator[ClickHouseCopies]:
    """Databases with the objects of the project's first ClickHouse store."""
    from provision.testing.clickhouse_copies import ClickHouseCopies

    copies = ClickHouseCopies(_first(provisioned, "clickhouse"))
    yield copies
    copies.close()


@pytest.fixture
def provisioned_clickhouse(provisioned_clickhouse_copies: ClickHouseCopies) -> str:
    """The url of a database that has what every revision made, and no row of another test."""
    return provisioned_clickhouse_copies.renew()


def _in_memory(url: str) -> None:
    """The engine is thrown away with the run: nothing of it need be on disk, and dropping waits for that."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")


@pytest.fixture
def provisioned_postgres(provisioned_postgres_pool: ClonePool) -> Iterator[str]:
    """The url of a database that has every revision, and no row of another test; dropped behind the test."""
    url = provisioned_postgres_pool.take()
    yield url
    provisioned_postgres_pool.give(url)


class ClonePool:
    """Databases cloned from a template, some of them ahead; made and dropped in a thread of their own.

    The processes of one run of pytest share the template; the last pool that is closed drops it.
    """

    def __init__(self, url: str) -> None:
        """`url` is the migrated database that is the template's model. Raises psycopg.Error."""
        import psycopg

        self._url, self._numbers = url, itertools.count(1)
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
        self._prefix = f"provision_{run}_{_name(url)}"[:40]
        self._ready: queue.SimpleQueue[str | Exception] = queue.SimpleQueue()
        self._used: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._wake, self._over, self._drops = threading.Event(), False, True
        self._connection = psycopg.connect(self._in("postgres"), autocommit=True)
        try:
            self._make_template()
        except BaseException:
            self._connection.close()
            raise
        self._thread = threading.Thread(target=self._work, name="clones", daemon=True)
        self._thread.start()

    def take(self) -> str:
        """The url of a clone that nobody had. Raises what kept one from being made."""
        try:
            found = self._ready.get(timeout=PATIENCE)
        except queue.Empty:
            raise TimeoutError(f"no clone of {self._prefix} was made in {PATIENCE:.0f} s") from None
        self._wake.set()
        if isinstance(found, Exception):
            self._ready.put(found)  # the next one hears of it too
            raise found
        return found

    def give(self, url: str) -> None:
        """It is not needed any more."""
        self._used.put(url)
        self._wake.set()

    def close(self, *, drop: bool = True) -> None:
        """Drop every clone, and the template too where no other process of the run needs it."""
        self._over, self._drops = True, drop
        self._wake.set()
        self._thread.join(PATIENCE)

    def _make_template(self) -> None:
        """Once for all processes of a run; from a database that others may still be connected to."""
        import psycopg

        self._lock("pg_advisory_lock", "made")
        there = "select 1 from pg_database where datname = %s"
        if not self._connection.execute(there, (self._prefix,)).fetchone():
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    self._execute("create database {} template {}", self._prefix, _name(self._url))
                    break
                except psycopg.errors.ObjectInUse:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.05)
        self._lock("pg_advisory_lock_shared", "used")
        self._lock("pg_advisory_unlock", "made")

    def _work(self) -> None:
        import psycopg

        try:
            while not self._over:
                self._wake.clear()
                if self._ready.qsize() < READY:
                    name = f"{self._prefix}_{os.getpid()}_{next(self._numbers)}"
                    self._execute("create database {} template {}", name, self._prefix)
                    # The first connection writes what the later ones begin with: it need not be the test's.
                    psycopg.connect(self._in(name)).close()
                    self._ready.put(self._in(name))
                elif not self._used.empty():
                    self._drop(self._used.get())
                else:
                    self._wake.wait()
            if self._drops:
                self._clear()
        except Exception as error:  # of a thread: who takes one hears of it
            self._ready.put(error)
        finally:
            self._connection.close()

    def _clear(self) -> None:
        while not self._used.empty():
            self._drop(self._used.get())
        while not self._ready.empty():
            left = self._ready.get()
            if isinstance(left, str):
                self._drop(left)
        self._lock("pg_advisory_lock", "made")
        self._lock("pg_advisory_unlock_shared", "used")
        if self._lock("pg_try_advisory_lock", "used"):  # nobody else has it shared
            self._execute("drop database {} with (force)", self._prefix)

    def _drop(self, url: str) -> None:
        self._execute("drop database if exists {} with (force)", _name(url))

    def _lock(self, function: str, what: str) -> bool:
        """Call a function of PostgreSQL's advisory locks on the template that is `made` or `used`."""
        keys = (self._prefix, what)
        row = self._connection.execute(f"select {function}(hashtext(%s), hashtext(%s))".encode(), keys).fetchone()
        return bool(row and row[0])

    def _execute(self, statement: str, *names: str) -> None:
        self._connection.execute(statement.format(*(f'"{each}"' for each in names)).encode())

    def _in(self, database: str) -> str:
        return urlsplit(self._url)._replace(path=f"/{database}").geturl()


def _name(url: str) -> str:
    """The database of a url."""
    return urlsplit(url).path.strip("/")
