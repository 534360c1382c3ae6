"""The fixtures for the tests of other projects: a migrated database each, with and without several processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_verify import FIRST, STREAM, TOML, revision

TESTS = """
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
"""


@pytest.mark.parametrize("processes", [0, 2])
def test_every_test_has_a_database_of_its_own_and_nothing_is_left(tmp_path: Path, processes: int) -> None:
    (tmp_path / "provision.toml").write_text(TOML)
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
    assert "24 passed" in done.stdout
    assert [each.name for each in place.iterdir() if each.name.startswith("provision-")] == []
    assert not (tmp_path / ".provision").exists()


def _environment(place: Path) -> dict[str, str]:
    root = str(Path(__file__).parents[2])
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "TMPDIR": str(place), "PYTHONPATH": root}
