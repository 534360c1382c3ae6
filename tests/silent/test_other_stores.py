"""Another store than the home store falls silent, the home store is of another kind, or lanes have processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Run, Small
from tests.silent.conftest import Behind
from tests.silent.proxy import Proxy
from tests.silent.test_postgres import COUNTED, LEASE, SLOW, SOON, TABLE, said, silenced

SCRIPT = """SELECT sleepEachRow(1) FROM numbers(5) SETTINGS max_block_size = 1;
INSERT INTO effects VALUES ('2');
"""


def ended_by_silence(run: Run, since: float) -> list[str]:
    ended = run.end()
    assert time.monotonic() - since < SOON
    assert ended.code == 5, ended.err
    return said(ended)


def test_clickhouse_silent_in_a_statement(
    tmp_path: Path, postgres: str, clickhouse: str, behind: Behind, found: Rows
) -> None:
    proxy, url = behind(clickhouse)
    made = Small(tmp_path, {"postgres": postgres, "clickhouse": url})
    (tmp_path / "clickhouse/001_step.sql").write_text(
        "CREATE TABLE effects (step String) ENGINE = MergeTree ORDER BY step;\n"
    )
    assert made.run("up").code == 0
    (tmp_path / "clickhouse/002_step.sql").write_text(SCRIPT)
    run = made.start("up", lease=f"{LEASE}s")
    run.until(lambda: bool(found("select 1 from provision_ledger where revision = 'clickhouse/002'")), "its start")
    proxy.silent.set()

    lines = ended_by_silence(run, time.monotonic())

    assert lines == [
        "error[server-lost]: clickhouse fell silent: no answer for N s",
        "where  clickhouse/002 is in hand, and what becomes of it is not known",
    ]
    proxy.silent.clear()
    again = made.run("up", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 0, again.err
    assert found("select step from effects") == [("2",)]


def test_clickhouse_silent_at_the_start(tmp_path: Path, postgres: str, clickhouse: str, behind: Behind) -> None:
    proxy, url = behind(clickhouse)
    made = Small(tmp_path, {"postgres": postgres, "clickhouse": url})
    proxy.silent.set()
    since = time.monotonic()

    ended = made.run("up", lease=f"{LEASE}s")

    assert time.monotonic() - since < 60
    assert ended.code == 4, ended.err
    assert "error[unreachable]: clickhouse does not answer: the time ran out" in ended.err


@pytest.fixture
def pair(tmp_path: Path, postgres: str, behind: Behind) -> Iterator[tuple[Small, Proxy, Callable[[str], int]]]:
    """Two PostgreSQL stores, each lane in a process of its own; the second, no home, is behind the proxy."""
    with psycopg.connect(postgres, autocommit=True) as owner:
        owner.execute("create database beside")
    beside = urlsplit(postgres)._replace(path="/beside").geturl().replace("@?", "@/beside?")
    proxy, url = behind(beside)
    made = Small(tmp_path, {"postgres": postgres})
    text = (tmp_path / "provision.toml").read_text()
    beside_table = '[stores.beside]\nkind = "postgres"\npath = "beside"\n[environments.local]'
    text = text.replace("[environments.local]", beside_table)
    (tmp_path / "provision.toml").write_text(f'{text}beside.url = "{url}"\n')
    made.revisions(TABLE, SLOW.format("2"))
    (tmp_path / "beside/versions").mkdir(parents=True)
    for each in ("env.py", "versions/0001_step.py", "versions/0002_step.py"):
        (tmp_path / "beside" / each).write_text((tmp_path / "alembic" / each).read_text())

    def count(sql: str) -> int:
        with psycopg.connect(beside) as connection:
            return len(connection.execute(sql.encode()).fetchall())

    yield made, proxy, count
    for run in made.runs:
        run.clear()
    with psycopg.connect(postgres, autocommit=True) as owner:
        owner.execute("drop database beside with (force)")


def test_lane_in_a_process_of_its_own_whose_store_is_silent(
    pair: tuple[Small, Proxy, Callable[[str], int]], rows: Rows
) -> None:
    made, proxy, count = pair
    run = made.start("up", lease=f"{LEASE}s")
    sleeps = "select 1 from pg_stat_activity where datname = 'beside' and query like '%pg_sleep%' and state = 'active'"
    run.until(lambda: bool(rows(sleeps)), "the slow statement")
    proxy.silent.set()

    lines = ended_by_silence(run, time.monotonic())

    assert lines == [
        "error[server-lost]: beside fell silent: no answer for N s",
        "where  beside/0002 is in hand, and what becomes of it is not known",
    ]
    proxy.silent.clear()
    again = made.run("up", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 0, again.err
    assert (count("select * from effects"), rows("select step from effects")) == (1, [("2",)])


def test_first_signal_ends_lanes_in_processes_of_their_own(
    pair: tuple[Small, Proxy, Callable[[str], int]], rows: Rows
) -> None:
    made, proxy, _ = pair
    run = made.start("up", lease="60s")
    sleeps = "select 1 from pg_stat_activity where datname = 'beside' and query like '%pg_sleep%' and state = 'active'"
    run.until(lambda: bool(rows(sleeps)), "the slow statement")
    proxy.silent.set()
    since = time.monotonic()
    run.send(signal.SIGTERM)
    assert run.end().code == 5
    assert time.monotonic() - since < 30


def test_redis_as_home_falls_silent(tmp_path: Path, postgres: str, redis_6: str, behind: Behind, rows: Rows) -> None:
    proxy, url = behind(redis_6)
    made = Small(tmp_path, {"postgres": postgres, "redis": url}, home="redis")
    (tmp_path / "provision.toml").write_text(
        (tmp_path / "provision.toml").read_text().replace('name = "small"', f'name = "{tmp_path.name[-20:]}"')
    )
    made.revisions(TABLE, 'op.execute("select pg_sleep(10)")\n' + COUNTED.format("2"), COUNTED.format("3"))
    run = made.start("up", lease=f"{LEASE}s")
    since = silenced(run, proxy, rows, "state = 'active' and query like '%pg_sleep%'")

    ended = run.end()

    assert time.monotonic() - since < SOON
    assert ended.code == 5, ended.err
    assert said(ended)[0].startswith("error[home-silent]: the home store fell silent: no answer for N s")
    proxy.silent.clear()
    again = made.run("up", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 0, again.err
    assert sorted(rows("select step from effects")) == [("2",), ("3",)]
