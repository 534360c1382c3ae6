"""A run that was overtaken cannot commit what it did, nor the entry that says so."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from provision.core.resume import older, wait_out
from provision.errors import LeaseLost, RefusedError
from provision.model import Event, EventKind
from provision.stores.postgres.ledger import INSERT, PostgresLedger, values
from provision.stores.postgres.marks import PostgresMarked
from provision.stores.postgres.server import connect
from tests.stores.postgres.projects import database


def entry(token: int, n: int = 1) -> Event:
    return Event("p", "postgres/0001", EventKind.APPLIED, "", token, n, datetime.now(UTC), "somebody")


def test_old_token_after_the_fence_was_raised_appends_nothing(every_server: str) -> None:
    with database(every_server) as url, connect(url, "postgres") as new, psycopg.connect(url) as old:
        ledger = PostgresLedger(new, "p", "postgres")
        ledger.create()
        ledger.raise_fence(1)
        old.execute("create table made (x int)")
        ledger.raise_fence(2)

        assert old.execute(INSERT, values(entry(1), "postgres")).rowcount == 0
        old.rollback()
        with pytest.raises(LeaseLost):
            ledger.append(entry(1))
        assert ledger.read() == []


def test_new_holder_waits_for_a_transaction_that_has_read_the_fence(every_server: str) -> None:
    with database(every_server) as url, connect(url, "postgres") as new, psycopg.connect(url) as old:
        ledger = PostgresLedger(new, "p", "postgres")
        ledger.create()
        ledger.raise_fence(1)
        assert old.execute(INSERT, values(entry(1), "postgres")).rowcount == 1
        new.execute("set lock_timeout = '100ms'")

        with pytest.raises(psycopg.errors.LockNotAvailable):
            ledger.raise_fence(2)
        old.commit()
        ledger.raise_fence(2)

        assert [event.token for event in ledger.read()] == [1]


def test_same_token_twice_is_refused_by_the_key(every_server: str) -> None:
    with database(every_server) as url, connect(url, "postgres") as connection:
        ledger = PostgresLedger(connection, "p", "postgres")
        ledger.create()
        ledger.append(entry(1))
        with pytest.raises(LeaseLost, match="a run with the same token 1"):
            ledger.append(entry(1))


def test_session_idle_under_an_older_mark_is_ended_and_one_of_this_token_is_not(every_server: str) -> None:
    with database(every_server) as url, connect(url, "postgres") as new:
        marked = PostgresMarked(new)
        names = [f"provision/p/{token}/postgres/0002" for token in (1, 2)] + ["provision/other/1/postgres/0002", "psql"]
        sessions = [psycopg.connect(url, autocommit=True, application_name=name) for name in names]
        store: Any = SimpleNamespace(name="postgres", marked=marked)
        told: list[object] = []

        wait_out(lambda: older([store], "p", 2), 60, lambda *each: told.append(each))

        assert [_answers(each) for each in sessions] == [False, True, True, True]
        assert told == []
        for session in sessions:
            session.close()


def test_session_of_another_role_that_may_not_be_ended_is_said(every_server: str) -> None:
    with database(every_server) as url, psycopg.connect(url, autocommit=True) as owner:
        role = f"weak_{uuid.uuid4().hex[:8]}"
        owner.execute(f"create role {role} login password 'weak'".encode())
        parts = psycopg.conninfo.conninfo_to_dict(url)
        weak = psycopg.conninfo.make_conninfo(**{**parts, "user": role, "password": "weak"})
        try:
            with (
                psycopg.connect(url, autocommit=True, application_name="provision/p/1/postgres/0002"),
                connect(weak, "postgres") as new,
            ):
                marked = PostgresMarked(new)
                store: Any = SimpleNamespace(name="postgres", marked=marked)
                [(_, found)] = older([store], "p", 2)
                with pytest.raises(RefusedError) as caught:
                    marked.cancel(found)
        finally:
            owner.execute(f"drop role {role}".encode())
    assert caught.value.code == "still-running"
    assert caught.value.fix == f"as a superuser: select pg_terminate_backend({found.handle}); then run again"


def _answers(session: psycopg.Connection[Any]) -> bool:
    try:
        session.execute("select 1")
    except psycopg.OperationalError:
        return False
    return True
