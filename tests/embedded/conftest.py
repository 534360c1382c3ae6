"""Real engines in temporary folders; every one that a test starts is gone when the test ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import clickhouse_connect
import psycopg
import pytest
import redis

from provision.embedded import Engine, EngineStatus, engine
from provision.embedded.programs import missing
from tests.embedded.programs import ENGINES
from tests.servers import rest
from tests.servers.required import not_run

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def on_path(request: pytest.FixtureRequest) -> None:
    """A test of a kind whose program is not on PATH is not run."""
    kind = request.node.callspec.params.get("kind", "") if hasattr(request.node, "callspec") else ""
    if program := missing(kind):
        not_run(f"{program} on PATH", "sh tests/servers/install.sh", kind)


def installed() -> list[str]:
    """The kinds whose engine can be started on this machine; on all of them where every server is required."""
    return [kind for kind in ENGINES if not missing(kind)]


@pytest.fixture
def root() -> Iterator[Path]:
    """A `.provision` that is not there yet, under a path with a space, short enough for a socket."""
    place = Path(tempfile.mkdtemp(prefix="Prüfstand 1 ", dir=memory()))
    yield place / ".provision"
    for kind in ENGINES:
        engine(kind, kind, place / ".provision").reset()
    shutil.rmtree(place)


def memory() -> str | None:
    """A file system in memory, where an initdb takes half the time; None where there is no roomy one."""
    place = "/dev/shm"
    return place if Path(place).is_dir() and shutil.disk_usage(place).free > 2 << 30 else None


@pytest.fixture(scope="session")
def clickhouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineStatus]:
    """One running ClickHouse for all tests of its protocol, with the database `provision`."""
    made: Engine = engine("clickhouse", "clickhouse", tmp_path_factory.mktemp("protocol") / ".provision")
    status = made.start()
    try:
        put(status, 0)
        yield status
    finally:
        made.reset()


def put(status: EngineStatus, number: int) -> None:
    """Store a number in an engine; it is acknowledged when this returns."""
    assert status.url is not None
    if status.kind == "postgres":
        with psycopg.connect(status.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS kept (number int)")
            connection.execute("INSERT INTO kept VALUES (%s)", (number,))
    elif status.kind == "redis":
        with redis.Redis.from_url(status.url) as client:
            client.rpush("kept", number)
    elif status.kind in rest.PUT:
        rest.PUT[status.kind](status.url, number)
    else:
        with clickhouse_connect.get_client(dsn=status.url.replace("/provision", "/default")) as client:
            client.command("CREATE DATABASE IF NOT EXISTS provision")
            client.command("CREATE TABLE IF NOT EXISTS provision.kept (number Int32) ENGINE MergeTree ORDER BY number")
            client.insert("provision.kept", [[number]], column_names=["number"])


def kept(status: EngineStatus) -> list[int]:
    """Return the numbers that were put."""
    assert status.url is not None
    if status.kind == "postgres":
        with psycopg.connect(status.url) as connection:
            return [row[0] for row in connection.execute("SELECT number FROM kept ORDER BY number")]
    if status.kind == "redis":
        with redis.Redis.from_url(status.url) as client:
            return [int(value) for value in client.lrange("kept", 0, -1)]
    if status.kind in rest.KEPT:
        return rest.KEPT[status.kind](status.url)
    with clickhouse_connect.get_client(dsn=status.url) as client:
        return [row[0] for row in client.query("SELECT number FROM kept ORDER BY number").result_rows]


def script(source: str, *arguments: object, python: str = sys.executable) -> list[str]:
    """Return the command that runs `source` with `engine`, `Path`, `sys` at hand."""
    head = "import sys, threading\nfrom pathlib import Path\nfrom provision.embedded import engine\n"
    return [python, "-c", head + source, *map(str, arguments)]


def environment() -> dict[str, str]:
    """The environment in which `provision` can be imported."""
    return os.environ | {"PYTHONPATH": str(REPOSITORY)}


def run(command: list[str], timeout_s: float = 30) -> str:
    """Run a command to its end and return its output."""
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=timeout_s, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def alive(pid: int) -> bool:
    """Say whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Return whether the condition became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
