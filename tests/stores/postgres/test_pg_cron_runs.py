"""pg_cron really runs what was installed. Its grain is a minute."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.stores.postgres import environments
from tests.stores.postgres.cron import postgres_with_cron
from tests.stores.postgres.projects import Project, Provision

WITHIN_SECONDS = 130


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres_with_cron() as url:
        yield url


def test_a_view_is_refreshed_by_the_server_and_status_says_so(
    root: Path, server: str, provision: Provision, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PEERS_URL", server)
    project = Project(root, server, provision)
    environments.written(root, environments.PLAIN)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("create extension pg_cron; create table prices (id int primary key)")
        connection.execute("create materialized view sums as select count(*) as n from prices")
        connection.execute("create unique index on sums (n); insert into prices values (1), (2)")
        (root / "maintain.yaml").write_text("jobs:\n  views: {store: postgres, every: minute, refresh: [sums]}\n")
        project.done("maintain", "install")
        until = time.monotonic() + WITHIN_SECONDS
        while project.rows("select n from sums") != [(2,)] and time.monotonic() < until:
            time.sleep(1)
    assert project.rows("select n from sums") == [(2,)]

    while (found := json.loads(project.provision("maintain", "status", "-o", "json").out))[0]["last"] is None:
        assert time.monotonic() < until
        time.sleep(1)

    assert found[0]["last"]["by"] == "pg_cron as postgres"
    assert found[0]["last"]["state"] in ("done", "running")
    assert found[0]["scheduler"] == "pg_cron"
