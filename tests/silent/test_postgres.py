"""The home store, a PostgreSQL, falls silent: its connections stay open and nothing comes back."""

from __future__ import annotations

import re
import signal
import time

import pytest

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Ended, Run, Small
from tests.silent.proxy import Proxy

LEASE = 6.0  # seconds
# More than the lock lives: what a busy machine takes to start and to end.
SOON = LEASE + 12.0
TABLE = 'op.execute("create table effects (step text)")'
COUNTED = "op.execute(\"insert into effects values ('{0}')\")"
# So long that it still sleeps when a busy machine has seen it, and less than the lock lives.
SLOW = 'op.execute("select pg_sleep(5)")\n' + COUNTED
AUTOCOMMIT = (
    "with op.get_context().autocommit_block():\n    op.execute(\"insert into effects select '{0}' from pg_sleep(5)\")"
)


@pytest.fixture
def begun(alone: Small) -> Small:
    """A project whose first revision is applied."""
    alone.revisions(TABLE)
    first = alone.run("up")
    assert first.code == 0, first.err
    return alone


SILENT = [
    "error[home-silent]: the home store fell silent: no answer for N s, and without it the run lock is lost",
    "where  postgres/0002 is in hand, and what becomes of it is not known",
]


def said(ended: Ended) -> list[str]:
    """What and where of the error that was printed, without its numbers of seconds."""
    lines = [re.sub(r"for \d+ s", "for N s", line.strip()) for line in ended.err.splitlines()]
    return [line for line in lines if line.startswith(("error[", "where"))]


def silenced(run: Run, proxy: Proxy, rows: Rows, where: str) -> float:
    """Wait until a session does what the condition on pg_stat_activity says, then let the proxy fall silent."""
    # Sessions that asked this may be there for a moment longer.
    others = "datname = current_database() and query not like '%pg_stat_activity%'"
    sql = f"select 1 from pg_stat_activity where {others} and {where}"
    run.until(lambda: bool(rows(sql)), where)
    proxy.silent.set()
    return time.monotonic()


def test_home_silent_in_a_transaction_ends_within_the_life_of_the_lock(
    begun: Small, home: tuple[Proxy, str], rows: Rows
) -> None:
    begun.revisions(TABLE, SLOW.format("2"), COUNTED.format("3"))
    run = begun.start("up", lease=f"{LEASE}s")
    since = silenced(run, home[0], rows, "state = 'active' and query like '%pg_sleep%'")

    ended = run.end()

    assert time.monotonic() - since < SOON
    assert (ended.code, said(ended)) == (5, SILENT)
    home[0].silent.clear()
    again = begun.run("up", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 0, again.err
    assert sorted(rows("select step from effects")) == [("2",), ("3",)]


def test_home_silent_in_autocommit_names_the_statement_and_sends_it_no_second_time(
    begun: Small, home: tuple[Proxy, str], rows: Rows
) -> None:
    begun.revisions(TABLE, AUTOCOMMIT.format("2"))
    run = begun.start("up", lease=f"{LEASE}s")
    silenced(run, home[0], rows, "state = 'active' and query like '%pg_sleep%'")

    ended = run.end()

    assert (ended.code, said(ended)) == (5, SILENT)
    home[0].silent.clear()
    again = begun.run("up", "--wait", "60s", lease=f"{LEASE}s")
    assert again.code == 3, again.err
    assert "error[dirty]: postgres/0002_step stopped in statement 1" in again.err
    assert rows("select step from effects") == [("2",)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_ends_a_run_whose_home_is_silent(
    begun: Small, home: tuple[Proxy, str], rows: Rows, number: signal.Signals
) -> None:
    begun.revisions(TABLE, SLOW.format("2"))
    run = begun.start("up", lease="60s")
    silenced(run, home[0], rows, "state = 'active' and query like '%pg_sleep%'")
    time.sleep(1.0)
    since = time.monotonic()
    run.send(number)

    ended = run.end()

    assert time.monotonic() - since < 30, "not before the life of the lock is over"
    assert ended.code == 5, ended.err
    assert said(ended) == SILENT


def test_home_silent_at_the_start_is_unreachable(begun: Small, home: tuple[Proxy, str]) -> None:
    home[0].silent.set()
    since = time.monotonic()

    ended = begun.run("up", lease=f"{LEASE}s")

    assert time.monotonic() - since < 30
    assert ended.code == 4, ended.err
    assert "error[unreachable]: postgres does not answer: the time ran out" in ended.err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_first_signal_ends_a_run_that_reaches_for_a_silent_store(
    begun: Small, home: tuple[Proxy, str], number: signal.Signals
) -> None:
    proxy, url = home
    file = begun.folder / "provision.toml"
    file.write_text(file.read_text().replace(url, f"{url}?connect_timeout=80"))
    proxy.silent.set()
    before = proxy.taken
    run = begun.start("up", lease=f"{LEASE}s")
    run.until(lambda: proxy.taken > before, "a connection")
    since = time.monotonic()
    run.send(number)

    ended = run.end()

    assert time.monotonic() - since < 30, "not when the driver's own time limit is over"
    assert ended.code == 5, ended.err
    assert "interrupted" in ended.err


def test_home_silent_while_the_lock_is_waited_for(begun: Small, home: tuple[Proxy, str], rows: Rows) -> None:
    begun.revisions(TABLE, COUNTED.format("2"))
    rows(
        'update provision.lease set owner = \'{"actor": "anna@elsewhere", "pid": 1, "command": "up"}\','
        " expires_at = now() + interval '1 hour' returning 1"
    )
    run = begun.start("up", lease=f"{LEASE}s")
    since = silenced(run, home[0], rows, "query like '%insert into provision.lease%'")

    ended = run.end()

    assert time.monotonic() - since < SOON
    assert ended.code == 4, ended.err
    assert "error[unreachable]: the home store does not answer" in ended.err


def test_home_silent_when_the_lock_is_given_back(begun: Small, home: tuple[Proxy, str], rows: Rows) -> None:
    begun.revisions(TABLE, COUNTED.format("2"))
    run = begun.start("up", lease=f"{LEASE}s")
    run.until(lambda: bool(rows("select 1 from provision.ledger where revision = 'postgres/0002'")), "the last entry")
    home[0].silent.set()
    since = time.monotonic()

    ended = run.end()

    assert time.monotonic() - since < SOON
    assert ended.code in (0, 5), ended.err
    home[0].silent.clear()
    assert begun.run("up", "--wait", "60s", lease=f"{LEASE}s").code == 0
    assert rows("select step from effects") == [("2",)]
