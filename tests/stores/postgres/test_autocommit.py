"""What runs outside a transaction is finished exactly once, and what waits for a lock says for whom."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from provision.stores.postgres.migrate import watch
from tests.expected import Expected
from tests.stores.postgres import environments
from tests.stores.postgres.projects import Project

CREATE = "create index concurrently i on t (x)"
BLOCK = 'with op.get_context().autocommit_block():\n        op.execute("{}")'
VALID = "select indisvalid from pg_index where indexrelid = to_regclass('i')"
INVALID = "update pg_index set indisvalid = false where indexrelid = 'i'::regclass"


@pytest.fixture
def indexed(project: Project) -> Project:
    """A table, and a revision still to come that makes an index on it without blocking."""
    environments.written(project.root, environments.PLAIN)
    project.write("0001", 'op.execute("create table t (x int)")', 'op.execute("drop table t")')
    project.up()
    project.write("0002", BLOCK.format(CREATE), BLOCK.format("drop index concurrently i"))
    return project


@contextmanager
def holding(url: str, statement: str) -> Iterator[psycopg.Connection]:
    """Another session, in a transaction that has run the statement."""
    with psycopg.connect(url, application_name="blocker") as connection:
        connection.execute(statement.encode())
        yield connection


def when(project: Project, found: str, then: str) -> threading.Thread:
    """Run `then` in its own session as soon as the query `found` has rows."""

    def watch() -> None:
        with psycopg.connect(project.url, autocommit=True) as connection:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                if connection.execute(found.encode()).fetchall():
                    connection.execute(then.encode())
                    return
                time.sleep(0.02)

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def interrupted(project: Project) -> None:
    """Run `up` while a session in a transaction makes the index wait; the server ends its session while it waits."""
    waits = f"select 1 from pg_stat_activity where wait_event_type = 'Lock' and query = '{CREATE}'"
    ends = f"select pg_terminate_backend(pid) from pg_stat_activity where query = '{CREATE}'"
    with holding(project.url, "insert into t values (1)"):
        thread = when(project, waits, ends)
        ran = project.provision("up")
        thread.join()
    assert ran.code == 5, ran.out + ran.err
    assert "fix    the connection ended in the statement: see that the server runs, then run the same" in ran.err


def test_index_whose_session_was_ended_is_dropped_and_made_again(indexed: Project) -> None:
    interrupted(indexed)
    assert indexed.rows(VALID) == [(False,)]

    indexed.up()

    assert indexed.rows(VALID) == [(True,)]
    assert [kind for _, kind in indexed.events()] == ["applied", "started", "started", "at", "applied"]
    indexed.down("postgres/0001")
    assert indexed.rows(VALID) == []


def test_index_that_the_server_finished_after_the_client_was_gone_counts_as_done(indexed: Project) -> None:
    interrupted(indexed)
    forget_failure(indexed)
    with psycopg.connect(indexed.url, autocommit=True) as connection:
        connection.execute("drop index i")
        connection.execute(CREATE)
    made = indexed.rows("select xmin::text from pg_class where relname = 'i'")

    indexed.up()

    assert indexed.rows("select xmin::text from pg_class where relname = 'i'") == made
    assert [kind for _, kind in indexed.events()] == ["applied", "started", "applied"]


def test_index_that_another_made_differently_is_dirty(indexed: Project) -> None:
    interrupted(indexed)
    forget_failure(indexed)
    with psycopg.connect(indexed.url, autocommit=True) as connection:
        connection.execute("drop index i")
        connection.execute("create index i on t (x desc)")

    ran = indexed.provision("up")

    assert ran.code == 3
    assert "error[dirty]: postgres/0002_step stopped in statement 1, and what became of it is not certain" in ran.err
    assert "index i exists as: CREATE INDEX i ON public.t USING btree (x DESC)" in ran.err


def forget_failure(project: Project) -> None:
    """The ledger as it is when the client was killed: it could not write that the statement failed."""
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("delete from provision.ledger where kind = 'failed'")


def test_transactional_part_before_the_block_leaves_a_trace(indexed: Project) -> None:
    place = indexed.versions / "0002_step.py"
    text = place.read_text().replace("    with op", '    op.execute("alter table t add y int")\n    with op', 1)
    place.write_text(text.replace(CREATE, "create index concurrently i on t (no_such_column)"))

    ran = indexed.provision("up")

    assert ran.code == 5
    assert "statements before it are committed" in ran.err
    assert indexed.events("kind, statement")[1:] == [("started", 2), ("at", 2), ("failed", 2)]
    assert indexed.provision("up").code == 5
    place.write_text(place.read_text().replace("no_such_column", "y"))
    indexed.up()
    assert indexed.rows(VALID) == [(True,)]
    assert indexed.rows("select count(*) from information_schema.columns where table_name = 't'") == [(2,)]


def test_alter_type_add_value_is_done_once_after_the_client_was_gone(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", "op.execute(\"create type mood as enum ('a')\")")
    project.write("0002", BLOCK.format("alter type mood add value 'b'"))
    project.up()
    with psycopg.connect(project.url, autocommit=True) as connection:
        connection.execute("delete from provision.ledger where revision = 'postgres/0002' and kind = 'applied'")
        connection.execute("update alembic_version set version_num = '0001'")

    project.up()

    assert project.rows("select enumlabel from pg_enum order by enumsortorder") == [("a",), ("b",)]


def test_lock_that_another_holds_is_waited_for_with_its_name(indexed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_POSTGRES__LOCK_TIMEOUT", "300ms")
    place = indexed.versions / "0002_step.py"
    place.write_text(place.read_text().replace(BLOCK.format(CREATE), 'op.execute("alter table t add y int")'))
    with holding(indexed.url, "lock table t in access share mode") as blocker:
        released = threading.Timer(1.0, blocker.rollback)
        released.start()
        ran = indexed.up()
        released.join()

    assert "postgres/0002 gave way after " in ran.out
    assert re.search(r"\(postgres, blocker\) in a transaction for \d s: lock table t in access share mode", ran.out)
    assert [kind for _, kind in indexed.events()] == ["applied", "applied"]


def test_lock_never_released_fails_and_names_the_holder(indexed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROVISION_POSTGRES__LOCK_TIMEOUT", "50ms")
    monkeypatch.setenv("PROVISION_POSTGRES__RETRIES", "1")
    place = indexed.versions / "0002_step.py"
    place.write_text(place.read_text().replace(BLOCK.format(CREATE), 'op.execute("alter table t add y int")'))
    with holding(indexed.url, "lock table t in access share mode"):
        ran = indexed.provision("up")

    assert ran.code == 5
    assert "error[statement-failed]: canceling statement due to lock timeout [55P03]" in ran.err
    assert "(postgres, blocker) in a transaction" in ran.err


def test_index_that_waits_says_for_whom(indexed: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "FIRST_WORD", 0.1)
    monkeypatch.setattr(watch, "SHOWN", 0.1)
    with holding(indexed.url, "insert into t values (1)") as blocker:
        released = threading.Timer(1.0, blocker.rollback)
        released.start()
        ran = indexed.up()
        released.join()

    assert re.search(
        r"… postgres: create index concurrently: waiting for writers before build(, \d+ %)?; waits for pid \d+"
        r" \(postgres, blocker\) in a transaction for \d s: insert into t values \(1\)"
        r" \[create index concurrently i on t \(x\), \d s\]",
        ran.out,
    ), ran.out


def test_statement_that_fails_is_named_with_its_line(expected: Expected, project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", 'op.execute("create table a (x int)")\n    op.execute("select nothing from a")')

    ran = project.provision("up")

    assert ran.code == 5
    expected(ran.err)
    assert project.schema() == []
    assert project.events("revision, kind, statement") == [("postgres/0001", "failed", 2)]


def test_revision_that_raises_is_named_with_its_line(project: Project) -> None:
    environments.written(project.root, environments.PLAIN)
    project.write("0001", 'op.execute("create table a (x int)")\n    raise KeyError("colour")')

    ran = project.provision("up")

    assert ran.code == 5
    assert ran.err.startswith("error[revision-failed]: KeyError: 'colour'\n  where  alembic/versions/0001_step.py:15\n")
    assert project.schema() == []
