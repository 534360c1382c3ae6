"""A folder, an empty database and the command line for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provision.cli.main import run
from tests.servers.command_line import Ran, masked
from tests.stores.postgres import environments, windows
from tests.stores.postgres.projects import Project, Provision, database

SERVERS = ("postgres_15", "postgres_18")


@pytest.fixture
def provision(capfd: pytest.CaptureFixture[str]) -> Provision:
    """Run one command line in this process; output is caught where the operating system sees it."""

    def ran(*arguments: object) -> Ran:
        capfd.readouterr()
        code = run([str(each) for each in arguments])
        out, err = capfd.readouterr()
        return Ran(code, masked(out), masked(err))

    return ran


@pytest.fixture(params=SERVERS)
def every_server(request: pytest.FixtureRequest) -> str:
    """The url of a server, on each of the two versions."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test, with a space and letters beyond ASCII in its path."""
    place = tmp_path / "projekt ä"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("PROVISION_ENV", "test")
    return place


@pytest.fixture
def server(request: pytest.FixtureRequest, postgres_15: str) -> str:
    """The url of the server of `project`: PostgreSQL 15, and for a test that is `on_both` 18 as well."""
    url: str = request.getfixturevalue("postgres_18") if getattr(request, "param", "15") == "18" else postgres_15
    return url


@pytest.fixture
def project(root: Path, server: str, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project; its env.py is still to be written."""
    with database(server) as url:
        monkeypatch.setenv("PEERS_URL", url)
        yield Project(root, url, provision)


@pytest.fixture
def events(project: Project) -> Project:
    """A project with a table partitioned by time, and its document; windows are still to be made."""
    environments.written(project.root, environments.PLAIN)
    windows.execute(project, windows.EVENTS)
    windows.describe(project)
    return project
