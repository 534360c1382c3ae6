"""A small project of three stores, on its own databases of real servers, and the command line in this process."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import psycopg
import pytest
import redis

from provision.cli.main import run
from tests.servers.command_line import Provision, Ran, masked

PROJECTS = Path(__file__).resolve().parents[1] / "fixtures" / "projects"
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


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project `small`, copied, as the working directory; no environment is named."""
    place = tmp_path / "small"
    shutil.copytree(PROJECTS / "small", place, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.chdir(place)
    monkeypatch.delenv("PROVISION_ENV", raising=False)
    return place


@pytest.fixture
def small(
    files: Path, monkeypatch: pytest.MonkeyPatch, postgres_18: str, clickhouse_embedded: str, redis_6: str
) -> Iterator[Path]:
    """The project `small` in environment `test`, whose three databases are empty."""
    name = f"small_{next(_NUMBERS)}"
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with redis.Redis.from_url(redis_6) as client:
        client.flushall()
    monkeypatch.setenv("SMALL_POSTGRES", _in(postgres_18, name))
    monkeypatch.setenv("SMALL_CLICKHOUSE", _in(clickhouse_embedded, name))
    monkeypatch.setenv("SMALL_REDIS", redis_6)
    monkeypatch.setenv("PROVISION_ENV", "test")
    yield files
    with psycopg.connect(postgres_18, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    with clickhouse_connect.get_client(dsn=_in(clickhouse_embedded, "default")) as client:
        client.command(f"DROP DATABASE IF EXISTS {name}")


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
