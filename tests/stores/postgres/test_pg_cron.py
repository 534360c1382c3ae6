"""Jobs are handed to pg_cron: once, changed, taken away; what it cannot run is printed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.stores.postgres import environments
from tests.stores.postgres.cron import postgres_with_cron
from tests.stores.postgres.projects import Project, Provision, at

TABLES = """
create extension if not exists pg_cron;
drop table if exists prices cascade;
create table prices (id int primary key, at int);
create materialized view sums as select at, count(*) from prices group by at;
create unique index on sums (at);
create materialized view totals as select count(*) as n from prices;
create unique index on totals (n);
"""
JOBS = """
jobs:
  views: {store: postgres, every: hour, refresh: [sums, totals]}
  numbers: {store: postgres, every: day, at: "03:30", analyze: [prices]}
  indexes: {store: postgres, every: week, reindex: {tables: [prices]}}
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_with_cron() as url:
        yield url


@pytest.fixture
def prices(root: Path, server: str, provision: Provision, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PEERS_URL", server)
    project = Project(root, server, provision)
    environments.written(root, environments.PLAIN)
    execute(server, TABLES)
    execute(server, "select cron.unschedule(jobid) from cron.job")
    (root / "maintain.yaml").write_text(JOBS)
    return project


def execute(url: str, sql: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def jobs(project: Project) -> list[tuple[object, ...]]:
    return project.rows("select jobname, schedule, command, active from cron.job order by jobname")


VIEWS = "REFRESH MATERIALIZED VIEW CONCURRENTLY public."
INSTALLED = [
    ("provision/peers/postgres/numbers/1", "30 3 * * *", "ANALYZE public.prices", True),
    ("provision/peers/postgres/views/1", "0 * * * *", f"{VIEWS}sums", True),
    ("provision/peers/postgres/views/2", "1 * * * *", f"{VIEWS}totals", True),
]


def test_two_installs_leave_one_set_of_jobs(prices: Project) -> None:
    first = prices.done("maintain", "install")
    ids = prices.rows("select jobid from cron.job order by 1")
    second = prices.done("maintain", "install")

    assert jobs(prices) == INSTALLED
    assert prices.rows("select jobid from cron.job order by 1") == ids
    assert "postgres  pg_cron: 3 made" in first.err
    assert "postgres  pg_cron: 3 kept" in second.err
    # Which indexes are bloated is known when the job runs: no statement of pg_cron's can say it.
    assert "maintain run indexes --env test" in second.out
    assert "run views" not in second.out


def test_what_changed_is_changed_and_what_left_the_file_goes(prices: Project) -> None:
    execute(prices.url, "select cron.schedule('somebody else', '0 0 * * *', 'select 1')")
    prices.done("maintain", "install")
    (prices.root / "maintain.yaml").write_text("jobs:\n  views: {store: postgres, every: 6 hours, refresh: [sums]}\n")

    ran = prices.done("maintain", "install", "-o", "json")

    assert jobs(prices) == [
        ("provision/peers/postgres/views/1", "0 0-23/6 * * *", f"{VIEWS}sums", True),
        ("somebody else", "0 0 * * *", "select 1", True),
    ]
    [store] = json.loads(ran.out)["stores"]
    assert store == {
        "store": "postgres", "scheduler": "pg_cron", "made": [], "changed": ["views/1"], "kept": [],
        "removed": ["numbers/1", "views/2"],
    }  # fmt: skip
    prices.done("maintain", "install", "--remove")
    assert jobs(prices) == [("somebody else", "0 0 * * *", "select 1", True)]


def test_what_somebody_switched_off_stays_off_and_is_told(prices: Project) -> None:
    prices.done("maintain", "install")
    execute(prices.url, "select cron.alter_job(jobid, active := false) from cron.job where jobname like '%numbers%'")

    prices.done("maintain", "install")

    assert (jobs(prices)[0][0], jobs(prices)[0][3]) == ("provision/peers/postgres/numbers/1", False)
    ran = prices.provision("maintain", "status", "-o", "json")
    assert {each["job"]: each["needs"] for each in json.loads(ran.out)} == {
        "views": None, "numbers": "is switched off in pg_cron", "indexes": None,
    }  # fmt: skip
    assert ran.code == 1


def test_a_project_whose_name_begins_alike_is_left_alone(prices: Project) -> None:
    name = "provision/peers/postgresql/views/1"
    execute(prices.url, f"select cron.schedule('{name}', '0 0 * * *', 'select 1')")
    execute(prices.url, "select cron.schedule('provision/p_ers/postgres/views/1', '0 0 * * *', 'select 1')")
    prices.done("maintain", "install")
    prices.done("maintain", "install", "--remove")
    assert [row[0] for row in jobs(prices)] == ["provision/p_ers/postgres/views/1", name]


def test_nothing_is_installed_while_one_job_is_wrong(prices: Project) -> None:
    (prices.root / "maintain.yaml").write_text(JOBS.replace("[prices]", "[pricees]", 1))
    ran = prices.provision("maintain", "install")
    assert ran.code == 2
    assert ran.err.startswith("error[unknown-table]: postgres has no table pricees\n")
    assert jobs(prices) == []


def test_a_user_without_the_right_is_told_what_to_grant(prices: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(prices.url, "drop role if exists planner; create role planner login superuser")
    execute(prices.url, "alter table prices owner to planner; alter materialized view sums owner to planner")
    execute(prices.url, "alter materialized view totals owner to planner; alter role planner nosuperuser")
    monkeypatch.setenv("PEERS_URL", prices.url.replace("postgres@", "planner@"))

    ran = prices.provision("maintain", "install")

    assert ran.code == 2
    assert ran.err.endswith(
        "error[not-allowed]: pg_cron: permission denied for schema cron\n"
        "  where  postgres\n  fix    GRANT USAGE ON SCHEMA cron TO planner\n"
    )
    assert "· views    every hour at :00  not run yet" in prices.done("maintain", "status").out


def test_what_keeps_pg_cron_from_running_is_told(prices: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    execute(prices.url, "drop extension pg_cron")
    assert (
        "postgres  pg_cron is loaded and not made: CREATE EXTENSION pg_cron" in prices.done("maintain", "install").err
    )
    execute(prices.url, "drop database if exists other")
    execute(prices.url, "create database other")
    other = at(prices.url, "other")
    execute(other, TABLES.replace("create extension if not exists pg_cron;", ""))
    monkeypatch.setenv("PEERS_URL", other)
    told = prices.done("maintain", "install").err
    assert "postgres  pg_cron belongs to database postgres (cron.database_name), and not to other" in told


def test_a_failed_run_of_pg_cron_is_told(prices: Project) -> None:
    """Its own record of a run, without waiting a minute for one."""
    prices.done("maintain", "install")
    execute(
        prices.url,
        "insert into cron.job_run_details (jobid, runid, job_pid, database, username, command, status, return_message,"
        " start_time, end_time) select jobid, jobid, 1, database, username, command,"
        " case when jobname like '%views/2' then 'failed' else 'succeeded' end, 'ERROR: no room', now(), now()"
        " from cron.job where jobname like '%views%'",
    )
    ran = prices.provision("maintain", "status", "-o", "json")
    views = json.loads(ran.out)[0]
    assert (views["scheduler"], views["needs"], views["failures"]) == ("pg_cron", "failed", 1)
    assert (views["last"]["name"], views["last"]["error"]) == ("views/2", "ERROR: no room")
    assert views["last"]["by"] == "pg_cron as postgres"
