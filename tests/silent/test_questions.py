"""What `validate` and `backfill` ask has an end where a store falls silent, and none while it answers others."""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import clickhouse_connect
import psycopg
import pytest
import redis

from provision.backfill.worker import Worker
from provision.backfill.workers import WorkerOptions
from provision.cli.main import run
from provision.flows import validate
from provision.net import http, listening
from provision.stores.postgres import server as postgres_server
from provision.stores.redis import server as redis_server
from provision.stores.weaviate import server as weaviate_server
from tests.backfill import project
from tests.backfill.test_other_stores import _DAILY, _TABLES
from tests.servers.command_line import Ran
from tests.silent.conftest import Behind
from tests.silent.proxy import Proxy
from tests.validate.other_stores import make

_NUMBERS = itertools.count(1)
Bring = Callable[[pytest.FixtureRequest, Path, Behind], Proxy]
SOON = 60.0


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every limit on an answer is some seconds."""
    monkeypatch.setattr(listening, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(listening, "ANSWER_SECONDS", 2.0)
    monkeypatch.setattr(postgres_server, "LOOK_SECONDS", 1.0)
    monkeypatch.setattr(postgres_server, "ANSWER_SECONDS", 3)
    for module in (weaviate_server, redis_server):
        monkeypatch.setattr(module, "ANSWER_SECONDS", 3.0)
    monkeypatch.setattr(http.Http.__init__, "__kwdefaults__", {"seconds": 3.0})
    monkeypatch.setattr("provision.cli.backfill.WorkerOptions", partial(WorkerOptions, patience=1.0))
    monkeypatch.setenv("PROVISION_ENV", "test")


@pytest.fixture
def provision(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    def ran(*arguments: str) -> Ran:
        capsys.readouterr()
        code = run(list(arguments))
        return Ran(code, *capsys.readouterr())

    return ran


def timed(provision: Callable[..., Ran], *arguments: str) -> Ran:
    began = time.monotonic()
    ran = provision(*arguments)
    assert time.monotonic() - began < SOON
    return ran


TOML = """\
[project]
name = "asked"
home = "none"
[stores.{0}]
path = "{0}"
[environments.test]
{0}.url = "{1}"
"""
SUITE = "store: {0}\ntable: orders\nchecks:\n  - {{name: there, {1}}}\n"


def laid_out(place: Path, kind: str, url: str, rule: str) -> None:
    for each in (kind, "checks", "backfills"):
        (place / each).mkdir()
    if kind == "postgres":
        (place / kind / "env.py").write_text("")
        (place / kind / "versions").mkdir()
    (place / "provision.toml").write_text(TOML.format(kind, url))
    (place / "checks" / "suite.yaml").write_text(SUITE.format(kind, rule))


@pytest.fixture
def clickhouse(clickhouse_embedded: str) -> Iterator[tuple[str, Any]]:
    """The url of a database with orders, and a client there."""
    name, server = f"asked_{next(_NUMBERS)}", clickhouse_embedded.rpartition("/")[0]
    with clickhouse_connect.get_client(dsn=f"{server}/default", autogenerate_session_id=False) as client:
        client.command(f"CREATE DATABASE {name}")
        client.database = name
        for statement in _TABLES:
            client.command(statement)
        yield f"{server}/{name}", client
        client.command(f"DROP DATABASE {name}")


def of_clickhouse(request: pytest.FixtureRequest, place: Path, behind: Behind) -> Proxy:
    proxy, url = behind(request.getfixturevalue("clickhouse")[0])
    laid_out(place, "clickhouse", url, 'bad: "price < 0"')
    (place / "backfills" / "fill.yaml").write_text(_DAILY)
    return proxy


def of_postgres(request: pytest.FixtureRequest, place: Path, behind: Behind) -> Proxy:
    direct = request.getfixturevalue("postgres")
    proxy, url = behind(direct)
    laid_out(place, "postgres", url, 'bad: "n < 0"')
    (place / "backfills" / "fill.yaml").write_text(project.SOURCE.replace("requires: [postgres/0001]\n", ""))
    with psycopg.connect(direct, autocommit=True) as connection:
        connection.execute(project._FIRST.split('"""')[3].encode())
    project.sow(direct, 2000)
    return proxy


def of_redis(request: pytest.FixtureRequest, place: Path, behind: Behind) -> Proxy:
    direct = request.getfixturevalue("redis_7")
    proxy, url = behind(direct)
    made = make(place, "redis", {"url": direct}, "cache")
    with redis.Redis.from_url(direct) as client:
        client.flushall()
        made.up()
        client.mset({f"app:{n}:prefs": n for n in range(5000)})
    (place / "backfills").mkdir()
    (place / "backfills" / "fill.yaml").write_text("store: redis\npattern: app:*:prefs\nttl: 1h\n")
    _through(place, direct, url)
    return proxy


def _of_documents(kind: str, fixture: str, suite: str) -> Bring:
    def bring(request: pytest.FixtureRequest, place: Path, behind: Behind) -> Proxy:
        direct = request.getfixturevalue(fixture)
        url = f"{direct}/asked{next(_NUMBERS)}" if kind == "arango" else direct
        proxy, through = behind(url)
        made = make(place, kind, {"url": url}, suite)
        made.up()
        _through(place, url, through)
        return proxy

    bring.__name__ = f"of_{kind}"
    return bring


def _through(place: Path, direct: str, url: str) -> None:
    toml = place / "provision.toml"
    toml.write_text(toml.read_text().replace(direct, url))


of_influx = _of_documents("influx", "influx_1", "timeseries")
of_weaviate = _of_documents("weaviate", "weaviate", "vectors")
of_arango = _of_documents("arango", "arango", "graph")


@pytest.mark.parametrize("bring", [of_postgres, of_clickhouse, of_redis, of_influx, of_weaviate, of_arango])
def test_store_silent_in_a_check_ends_validate(
    bring: Bring,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    behind: Behind,
    provision: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy, own = bring(request, tmp_path, behind), validate._own
    monkeypatch.chdir(tmp_path)
    assert provision("validate").code in (0, 1)

    def silenced(*given: Any) -> Any:
        proxy.silent.set()
        return own(*given)

    monkeypatch.setattr(validate, "_own", silenced)
    ran = timed(provision, "validate")

    assert ran.code == 4, ran
    assert "error[unreachable]: " in ran.err


@pytest.mark.parametrize("bring", [of_postgres, of_clickhouse, of_redis])
def test_store_silent_in_a_batch_interrupts_the_backfill_which_goes_on_later(
    bring: Bring,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    behind: Behind,
    provision: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy, fill, calls = bring(request, tmp_path, behind), Worker._fill, itertools.count(1)
    monkeypatch.chdir(tmp_path)

    def silenced(self: Worker, rows: int) -> Any:
        if next(calls) == 2:
            proxy.silent.set()
        return fill(self, rows)

    monkeypatch.setattr(Worker, "_fill", silenced)
    lost = timed(provision, "backfill", "run", "fill", "--no-lock")
    proxy.speak()
    [standing] = json.loads(provision("backfill", "status", "fill", "-o", "json").out)

    assert (lost.code, lost.err.split(":")[0]) == (5, "error[server-lost]"), lost
    assert standing["state"] in ("interrupted", "running")
    assert provision("backfill", "resume", "fill", "--no-lock").code == 0


@pytest.mark.parametrize("where", ["survey", "fence"])
def test_clickhouse_silent_outside_of_a_lane_ends_up(
    where: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    behind: Behind,
    provision: Callable[..., Ran],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    proxy = of_clickhouse(request, tmp_path, behind)
    (tmp_path / "clickhouse" / "001_more.sql").write_text("CREATE TABLE more (x UInt8) ENGINE = Memory;\n")
    monkeypatch.chdir(tmp_path)
    name = {"survey": "read", "fence": "raise_fence"}[where]
    from provision.stores.clickhouse.ledger import ClickhouseLedger

    asked = getattr(ClickhouseLedger, name)

    def silenced(self: ClickhouseLedger, *given: Any) -> Any:
        proxy.silent.set()
        self._client.rows("SELECT 1")
        return asked(self, *given)

    monkeypatch.setattr(ClickhouseLedger, name, silenced)
    ran = timed(provision, "up", "--no-lock")

    assert ran.code == 4, ran
    assert "error[unreachable]: clickhouse does not answer: the time ran out" in ran.err


def test_check_that_takes_longer_than_a_look_is_waited_for(
    clickhouse: tuple[str, Any], tmp_path: Path, provision: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.2)
    laid_out(tmp_path, "clickhouse", clickhouse[0], 'bad: "price < 0 OR sleep(1.5) = 1"')
    monkeypatch.chdir(tmp_path)

    ran = provision("validate")

    assert ran.code == 0, ran


def test_thread_that_somebody_watches_looks_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lane: its run looks at the server, and leaves the lock to run out."""
    one, other = socket.socketpair()
    one.settimeout(0.6)
    monkeypatch.setattr(listening, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(listening, "answers", lambda _: False)
    waits: list[float] = []

    def read() -> None:
        began = time.monotonic()
        with pytest.raises(TimeoutError):
            listening.attentive(one).read(1)
        waits.append(time.monotonic() - began)

    alone, watched = threading.Thread(target=read), threading.Thread(target=read)
    watched.watched = True  # type: ignore[attr-defined]
    for each in (alone, watched):
        each.start()
        each.join()

    for each_end in (one, other):
        each_end.close()
    assert waits[0] < 0.5 < waits[1]
