"""The project `shop` on a database of its own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from provision.cli.main import run
from tests.backfill import project
from tests.servers.command_line import Provision, Ran, masked

_NUMBERS = itertools.count(1)


@pytest.fixture
def provision(capsys: pytest.CaptureFixture[str]) -> Provision:
    """Run one command line."""

    def ran(*arguments: object) -> Ran:
        capsys.readouterr()
        code = run([str(each) for each in arguments])
        out, err = capsys.readouterr()
        return Ran(code, masked(out), masked(err))

    return ran


def new_database(server: str) -> str:
    """The url of a new database."""
    name = f"shop_{next(_NUMBERS)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    return urlunsplit(urlsplit(server)._replace(path=f"/{name}"))


@contextmanager
def run_in(server: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Callable[..., int]]]:
    """The project on another server: the url of its database, and the command line."""
    url = new_database(server)
    (folder / "shop").mkdir()
    project.lay_out(folder / "shop")
    monkeypatch.chdir(folder / "shop")
    monkeypatch.setenv("SHOP_POSTGRES", url)
    monkeypatch.setenv("PROVISION_ENV", "test")
    assert run(["up", "postgres/0001"]) == 0
    yield url, lambda *arguments: run(list(arguments))


@pytest.fixture
def url(postgres_18: str) -> str:
    """A new database."""
    return new_database(postgres_18)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str) -> Path:
    """The project as the working directory, its first revision applied, no order taken."""
    place = tmp_path / "shop"
    place.mkdir()
    project.lay_out(place)
    monkeypatch.chdir(place)
    monkeypatch.setenv("SHOP_POSTGRES", url)
    monkeypatch.setenv("PROVISION_ENV", "test")
    assert run(["up", "postgres/0001"]) == 0
    return place


@pytest.fixture
def database(url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection
