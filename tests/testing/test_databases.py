"""The fixtures for the tests of other projects: a migrated database each, with and without several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_verify import FIRST, STREAM, TOML, revision

TESTS = """
import clickhouse_connect
import psycopg
import pytest
import redis


@pytest.mark.parametrize("number", range(12))
def test_each_has_all_revisions_and_nobody_elses_rows(provisioned_postgres, number):
    with psycopg.connect(provisioned_postgres) as connection:
        assert connection.execute("select count(*) from orders").fetchone() == (0,)
        connection.execute("insert into orders values (%s)", (number,))


@pytest.mark.parametrize("number", range(12))
def test_each_has_the_keys_of_all_revisions_and_no_other(provisioned_redis, number):
    with redis.Redis.from_url(provisioned_redis) as connection:
        assert connection.xlen("events") == 0
        assert connection.exists("events")
        assert connection.keys("test:*") == []
        connection.set(f"test:{number}", 1)
        connection.xadd("events", {"a": 1})


@pytest.mark.parametrize("number", range(12))
def test_each_has_the_tables_of_all_revisions_and_the_rows_that_they_left(provisioned_clickhouse, number):
    with clickhouse_connect.get_client(dsn=provisioned_clickhouse) as client:
        assert client.query("select * from totals").result_rows == [("paid", 1)]
        assert client.query("select * from payments").result_rows == [(1, "paid")]
        client.command("insert into payments values (2, 'open')")
        assert client.query("select count() from totals").result_rows == [(2,)]
        if number % 3 == 0:
            client.command("alter table payments add column note String")
        if number % 4 == 0:
            client.command("drop table totals_by_state")


@pytest.mark.parametrize("number", range(12))
def test_each_has_the_plain_table_again(provisioned_clickhouse, number):
    with clickhouse_connect.get_client(dsn=provisioned_clickhouse) as client:
        assert client.query("select count() from visits").result_rows == [(0,)]
        client.command("insert into visits values (1)")
"""
PAYMENTS = """
CREATE TABLE payments (id UInt64, state String DEFAULT 'shop.open') ENGINE = MergeTree ORDER BY id;
INSERT INTO payments VALUES (1, 'paid');
CREATE TABLE totals (state String, n UInt64) ENGINE = SummingMergeTree ORDER BY state;
CREATE TABLE visits (id UInt64) ENGINE = MergeTree ORDER BY id;
CREATE MATERIALIZED VIEW totals_by_state TO totals AS SELECT state, count() AS n FROM payments GROUP BY state;
INSERT INTO totals VALUES ('paid', 1);
"""


@pytest.mark.parametrize("processes", [0, 2])
def test_every_test_has_a_database_of_its_own_and_nothing_is_left(tmp_path: Path, processes: int) -> None:
    (tmp_path / "provision.toml").write_text(TOML.replace("[stores.redis]", "[stores.redis]\n[stores.clickhouse]"))
    (tmp_path / "clickhouse").mkdir()
    (tmp_path / "clickhouse" / "001_payments.sql").write_text(PAYMENTS)
    (tmp_path / "redis").mkdir()
    (tmp_path / "redis" / "0001_events.yaml").write_text(STREAM)
    (tmp_path / "alembic" / "versions").mkdir(parents=True)
    env = (Path(__file__).parents[2] / "alembic" / "env.py").read_text(encoding="utf-8")
    (tmp_path / "alembic" / "env.py").write_text(env)
    revision(tmp_path, 1, *FIRST)
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["provision.testing.databases"]\n')
    (tmp_path / "test_orders.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nprovision_env = local\n")
    place = tmp_path / "engines-of-this-run"
    place.mkdir()

    line = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        *(["-n", str(processes)] if processes else []),
    ]
    done = subprocess.run(
        line, cwd=tmp_path, capture_output=True, text=True, check=False, env=_environment(place), timeout=120
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "48 passed" in done.stdout
    assert [each.name for each in place.iterdir() if each.name.startswith("provision-")] == []
    assert not (tmp_path / ".provision").exists()


def _environment(place: Path) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "TMPDIR": str(place), "PYTHONPATH": root}
