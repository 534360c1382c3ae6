"""A run that was overtaken cannot commit what it did, nor the entry that says so."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest

from provision.errors import LeaseLost
from provision.model import Event, Kind
from provision.stores.postgres.connection import connect
from provision.stores.postgres.ledger import INSERT, PostgresLedger, values
from tests.peers.projects import database


def entry(token: int, n: int = 1) -> Event:
    return Event("p", "postgres/0001", Kind.APPLIED, "", token, n, datetime.now(UTC), "somebody")


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
