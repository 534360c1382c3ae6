"""A revision that requires a backfill waits for it; a small one is filled by `up` itself."""

from __future__ import annotations

import json
from pathlib import Path

import psycopg
import pytest

from provision.errors import LeaseLost
from provision.flows import backfill as flow
from provision.flows.run_lock import HeldLock
from tests.backfill import project
from tests.servers.command_line import Provision


@pytest.mark.usefixtures("shop")
def test_up_fills_a_small_table_and_goes_on(url: str, provision: Provision) -> None:
    project.sow(url, 1_000)

    ran = provision("up")

    assert (ran.code, ran.err) == (0, "")
    assert "  … postgres: backfill/source is complete: 900 rows filled\n" in ran.out
    assert "  ✓ postgres/0002  Source is always there N ms\n" in ran.out
    with psycopg.connect(url) as connection:
        assert connection.execute(project.REFERENCE).fetchone() == (project.expected(1_000),)


def test_up_of_a_fresh_database_fills_what_is_empty_and_ends(
    shop: Path, provision: Provision, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    assert shop.exists()
    assert provision("down", "--all", "--allow-destructive").code == 0
    database.execute("drop schema provision cascade")

    ran = provision("up")

    assert ran.code == 0
    assert ran.out.splitlines()[-1].startswith("2 applied in ")


@pytest.mark.usefixtures("shop")
def test_up_holds_what_waits_for_a_big_table_until_the_backfill_ran(url: str, provision: Provision) -> None:
    project.sow(url, 10_000)

    assert provision("up").code == 0
    held = json.loads(provision("up", "--output", "json").out)["held"]
    assert held == [{"id": "postgres/0002", "waits_for": ["backfill/source"]}]
    assert provision("status", "--check").code == 1
    assert provision("backfill", "run", "source").code == 0
    assert provision("status", "--check").code == 1  # pending, no longer held
    assert json.loads(provision("up", "--output", "json").out)["held"] == []
    assert provision("status", "--check").code == 0


@pytest.mark.usefixtures("shop")
def test_a_store_restored_to_before_the_backfill_is_held_again(
    url: str, provision: Provision, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    project.sow(url, 10_000)
    tables = ("orders", "provision.ledger", "provision.fence")
    provision("up")
    for table in tables:
        database.execute(f"create table backup_{table.split('.')[-1]} as table {table}".encode())
    assert provision("backfill", "run", "source").code == 0
    for table in tables:
        database.execute(f"truncate {table}".encode())
        database.execute(f"insert into {table} table backup_{table.split('.')[-1]}".encode())

    held = json.loads(provision("up", "--output", "json").out)["held"]

    assert held == [{"id": "postgres/0002", "waits_for": ["backfill/source"]}]


@pytest.mark.parametrize("command", ["up", "plan", "status", "status --check", "plan --offline", "up --dry-run"])
def test_a_backfill_that_does_not_exist_is_an_error(shop: Path, provision: Provision, command: str) -> None:
    (shop / "backfills" / "source.yaml").rename(shop / "backfills" / "sources.yaml")

    ran = provision(*command.split())

    assert (ran.code, ran.err) == (
        2,
        "error[unknown-backfill]: postgres/0002 waits for backfill/source, and there is no backfills/source.yaml\n"
        "  where  alembic/versions/0002_source_is_there.py\n  fix    did you mean sources?\n",
    )


def test_a_file_of_a_backfill_that_is_complete_may_go(shop: Path, url: str, provision: Provision) -> None:
    project.sow(url, 10_000)
    assert provision("backfill", "run", "source").code == 0
    (shop / "backfills" / "source.yaml").unlink()

    assert provision("up").code == 0


@pytest.mark.parametrize("command", ["up", "status", "plan", "up --dry-run", "status --check"])
def test_what_waits_for_a_backfill_is_never_up_to_date_and_names_the_command(
    shop: Path, url: str, provision: Provision, command: str
) -> None:
    assert shop.exists()
    project.sow(url, 10_000)

    ran = provision(*command.split())

    assert ran.code == (1 if "--check" in command else 0)
    assert "provision backfill run source --env test" in ran.out
    assert "1 blocked" in ran.out
    for word in ("up to date", "nothing to do", "everything is applied"):
        assert word not in ran.out


@pytest.mark.usefixtures("shop")
def test_a_failing_small_backfill_fails_the_up(
    url: str, provision: Provision, database: psycopg.Connection[tuple[object, ...]]
) -> None:
    project.sow(url, 100)
    database.execute("alter table orders add constraint no_web check (source not like 'web-5%')")

    ran = provision("up")

    assert ran.code == 5
    assert "error[batch-failed]: row " in ran.err
    assert 'violates check constraint "no_web"' in ran.err


@pytest.mark.usefixtures("shop")
def test_up_whose_lock_is_asked_back_while_it_fills_fills_no_further_batch(
    url: str, provision: Provision, database: psycopg.Connection[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.sow(url, 1_000)
    empty = database.execute("select count(*) from orders where source is null").fetchone()
    filling: list[bool] = []

    def fill(*arguments: object) -> object:
        filling.append(True)
        return run(*arguments)  # type: ignore[arg-type]

    def check(self: HeldLock) -> None:
        if filling:
            raise LeaseLost(asked_by="anna@host (pid 3)")
        kept(self)

    run, kept = flow.run, HeldLock.check
    monkeypatch.setattr(flow, "run", fill)
    monkeypatch.setattr(HeldLock, "check", check)

    ran = provision("up")

    assert database.execute("select count(*) from orders where source is null").fetchone() == empty
    assert database.execute("select 1 from provision.ledger where revision like 'backfill/%'").fetchall() == []
    assert (ran.code, filling) == (5, [True])
    assert "error[lease-lost]: anna@host (pid 3) asked for the run lock back" in ran.err
