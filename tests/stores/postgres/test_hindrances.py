"""A transaction that has held a table of the plan for long is waited for before anything is locked or sent."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

import psycopg
import pytest

from tests.stores.postgres.projects import Project
from tests.stores.postgres.test_locks import OFFLINE, tables

__all__ = ["tables"]


@pytest.fixture
def offline(tables: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A revision of table a to come, whose SQL can be had without a database."""
    env = tables.root / "alembic" / "env.py"
    env.write_text(OFFLINE + "\n".join(f"    {line}" for line in env.read_text().split("\n")))
    tables.write("0002", 'op.execute("alter table a add y int")')
    monkeypatch.setenv("PROVISION_POSTGRES__LONGEST_TRANSACTION", "1s")
    return tables


@contextmanager
def holding(project: Project, table: str, seconds: float) -> Iterator[psycopg.Connection]:
    """A transaction that has held a table for so long."""
    with psycopg.connect(project.url, application_name="report") as connection:
        connection.execute(f"select count(*) from {table}".encode())
        sleep(seconds)
        yield connection


def test_old_transaction_on_a_table_of_the_plan_is_refused(offline: Project) -> None:
    with holding(offline, "a", 1.2):
        ran = offline.provision("up", "--wait", "0")

    assert ran.code == 3
    assert "error[table-in-use]: a transaction has held a table of the plan for long" in ran.err
    assert "where  postgres: public.a by pid " in ran.err
    assert "(postgres, report) in a transaction for 1 s: select count(*) from a" in ran.err
    assert [kind for _, kind in offline.events()] == ["applied"]


def test_old_transaction_is_waited_for(offline: Project) -> None:
    with holding(offline, "a", 1.2) as connection:
        released = threading.Timer(2.0, connection.rollback)
        released.start()
        ran = offline.up("--wait", "60s")
        released.join()

    assert "… postgres: waits until it is free: public.a by pid " in ran.out
    assert "gave way" not in ran.out
    assert [kind for _, kind in offline.events()] == ["applied", "applied"]


@pytest.mark.parametrize(("table", "seconds"), [("b", 1.2), ("a", 0.0)])
def test_transaction_on_another_table_or_a_young_one_is_let_be(offline: Project, table: str, seconds: float) -> None:
    with holding(offline, table, seconds) as connection:
        released = threading.Timer(0.5, connection.rollback)
        released.start()
        ran = offline.up("--wait", "0")
        released.join()

    assert "waits until it is free" not in ran.out


def test_index_concurrently_is_of_the_plan_too(offline: Project) -> None:
    create = "create index concurrently i on b (x)"
    offline.write("0003", f'with op.get_context().autocommit_block():\n        op.execute("{create}")')
    with holding(offline, "b", 1.2):
        ran = offline.provision("up", "--wait", "0")

    assert ran.code == 3
    assert "where  postgres: public.b by pid " in ran.err
