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


def test_up_says_of_a_backfill_without_document_that_it_has_none(shop: Path, provision: Provision) -> None:
    (shop / "backfills" / "source.yaml").unlink()
    (shop / "alembic" / "versions" / "0003_more.py").write_text(
        '"""More"""\n\nfrom alembic import op\n\nrevision = "0003"\ndown_revision = "0002"\n\n\n'
        'def upgrade() -> None:\n    op.execute("SELECT 1")\n\n\ndef downgrade() -> None:\n    op.execute("SELECT 1")\n'
    )

    ran = provision("up")

    assert ran.code == 0
    assert "  blocked postgres/0002: waits for backfill/source\n" in ran.out


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
