"""A small project of three stores, on its own databases of real servers, and the command line in this process."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import clickhouse_connect
import psycopg
import pytest

import redis
from provision.cli.main import run

PROJECTS = Path(__file__).resolve().parents[1] / "fixtures" / "projects"
_NUMBERS = itertools.count(1)
# What differs from run to run: times, durations, ports, folders, who and where.
_MASKS = (
    (re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?"), "TIME"),
    (re.compile(r" +\d+ ms"), " N ms"),
    (re.compile(r'("duration_ms"): \d+'), r"\1: 0"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"small_\d+"), "small_N"),
    (re.compile(r"\b[\w.-]+@[\w.-]+(?= \(pid \d)"), "SOMEBODY"),
    (re.compile(r"(run \d+)  \S+@\S+"), r"\1  SOMEBODY"),
    (re.compile(r"by [\w.-]+@[\w.-]+"), "by SOMEBODY"),
    (re.compile(r'"[\w.-]+@[\w.-]+"'), '"SOMEBODY"'),
    (re.compile(r" +$", re.MULTILINE), ""),
)


class Ran(NamedTuple):
    """What a command left: its exit code and its masked output."""

    code: int
    out: str
    err: str


Provision = Callable[..., Ran]


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


def masked(text: str) -> str:
    for pattern, word in _MASKS:
        text = pattern.sub(word, text)
    return text


def _in(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
