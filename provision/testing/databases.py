"""Fixtures that give every test a migrated database of its own, in milliseconds.

In a conftest.py of the root: `pytest_plugins = ["provision.testing.databases"]`. The embedded engines of the project
are started in a folder of the test run, moved to the newest revision once, and ended with it; the processes of
pytest-xdist share them. A test that asks for `provisioned_postgres` gets the url of a clone made ahead of time.
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
from typing import Any
from urllib.parse import urlsplit

import pytest

from provision import settings
from provision.project import Project

READY = 2  # clones that wait for a test
PATIENCE = 60.0  # seconds until a template is nobody's
TEMPLATE = "provision_template"
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
    store = next(each.name for each in settings.load(provisioned.root).stores if each.kind == "postgres")
    pool = ClonePool(provisioned.url(store))
    yield pool
    pool.close()


@pytest.fixture
def provisioned_postgres(provisioned_postgres_pool: ClonePool) -> Iterator[str]:
    """The url of a database that has every revision, and no row of another test; dropped behind the test."""
    url = provisioned_postgres_pool.take()
    yield url
    provisioned_postgres_pool.give(url)


class ClonePool:
    """Databases cloned from a template, some of them ahead; made and dropped in a thread of their own."""

    def __init__(self, url: str) -> None:
        """`url` is the migrated database that is the template's model. Raises psycopg.Error."""
        self._url, self._numbers = url, itertools.count(1)
        self._ready: queue.Queue[str | Exception] = queue.Queue(READY)
        self._used: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._over = threading.Event()
        self._make_template()
        self._thread = threading.Thread(target=self._work, name="clones", daemon=True)
        self._thread.start()

    def take(self) -> str:
        """The url of a clone that nobody had. Raises what kept one from being made."""
        found = self._ready.get(timeout=PATIENCE)
        if isinstance(found, Exception):
            raise found
        return found

    def give(self, url: str) -> None:
        """It is not needed any more."""
        self._used.put(url)

    def close(self) -> None:
        """Make no more."""
        self._over.set()
        while not self._ready.empty():
            self._ready.get_nowait()
        self._thread.join(PATIENCE)

    def _make_template(self) -> None:
        """Once for all processes of a run; from a database that others may still be connected to."""
        import psycopg

        with psycopg.connect(self._in("postgres"), autocommit=True) as connection:
            connection.execute("select pg_advisory_lock(hashtext('provision.template'))")
            if connection.execute("select 1 from pg_database where datname = %s", (TEMPLATE,)).fetchone():
                return
            # The engine is thrown away with the run: nothing of it need be on disk, and dropping waits for that.
            connection.execute("alter system set fsync = off")
            connection.execute("select pg_reload_conf()")
            end = time.monotonic() + PATIENCE
            while True:
                try:
                    connection.execute(f'create database {TEMPLATE} template "{self._name(self._url)}"'.encode())
                    return
                except psycopg.errors.ObjectInUse:
                    if time.monotonic() > end:
                        raise
                    time.sleep(0.05)

    def _work(self) -> None:
        import psycopg

        try:
            with psycopg.connect(self._in("postgres"), autocommit=True) as connection:
                while not self._over.is_set():
                    if not self._ready.full():
                        name = f"provision_{os.getpid()}_{next(self._numbers)}"
                        connection.execute(f"create database {name} template {TEMPLATE}".encode())
                        self._ready.put(self._in(name))
                    elif not self._used.empty():
                        connection.execute(f"drop database {self._name(self._used.get())} with (force)".encode())
                    else:
                        self._over.wait(0.005)
        except Exception as error:  # of a thread: who takes one hears of it
            self._ready.put(error)

    def _in(self, database: str) -> str:
        return urlsplit(self._url)._replace(path=f"/{database}").geturl()

    def _name(self, url: str) -> str:
        return urlsplit(url).path.strip("/")
