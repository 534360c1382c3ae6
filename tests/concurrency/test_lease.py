"""The run lock between processes: held, given up, left by a dead holder; Ctrl-C and SIGTERM."""

from __future__ import annotations

import signal
import time

import pytest

from tests.concurrency.conftest import Rows
from tests.concurrency.project import Small

CREATE = 'op.execute("create table effects (revision text)")'
SLOW = """op.execute("insert into effects values ('{0}')")
op.execute("select pg_sleep({1})")"""
SLEEPING = "select 1 from pg_stat_activity where query like 'select pg_sleep%' and state = 'active'"
APPLIED = "select revision, token from provision.ledger where kind = 'applied' order by token, n"


def slow(small: Small, seconds: float = 5) -> None:
    small.revisions(CREATE, SLOW.format("0002", seconds), SLOW.format("0003", 0), SLOW.format("0004", 0))


def test_up_lease_held_fails_at_once_and_names_the_holder(small: Small, rows: Rows) -> None:
    slow(small, 20)  # a second command takes seconds to begin on a busy machine
    holder = small.start("up")
    holder.until(lambda: bool(rows(SLEEPING)), "the holder's slow statement")

    refused = small.run("up", "--wait", "0")

    assert refused.code == 6
    assert "error[lease-held]: another run holds the run lock: " in refused.err
    assert f"pid {holder.pid}, provision up" in refused.err
    assert holder.end().code == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_up_stopped_once_ends_after_the_statement_and_the_next_finishes(
    small: Small, rows: Rows, number: signal.Signals
) -> None:
    slow(small)
    run = small.start("up")
    run.until(lambda: bool(rows(SLEEPING)), "the slow statement")

    run.send(number)
    stopped = run.end()

    assert stopped.code == 5
    assert f"error[interrupted]: stopped by {number.name}" in stopped.err
    assert not rows(SLEEPING)
    assert ("0003",) not in rows("select revision from effects")
    assert small.run("up", "--wait", "0").code == 0
    assert rows("select revision from effects order by 1") == [("0002",), ("0003",), ("0004",)]


def test_up_stopped_twice_ends_now(small: Small, rows: Rows) -> None:
    slow(small, 8)
    run = small.start("up")
    run.until(lambda: bool(rows(SLEEPING)), "the slow statement")

    run.send(signal.SIGINT)
    time.sleep(0.3)
    began = time.monotonic()
    run.send(signal.SIGINT)
    stopped = run.end()

    assert stopped.code == 5
    assert time.monotonic() - began < 2
    assert "stopped now; a statement may still run on its server" in stopped.err


def test_up_after_a_killed_holder_does_not_wait_for_its_lease(small: Small, rows: Rows) -> None:
    slow(small)
    holder = small.start("up", lease="10m")
    holder.until(lambda: bool(rows(SLEEPING)), "the holder's slow statement")
    holder.kill()

    ended = small.run("up", "--wait", "20s", lease="10m")

    assert ended.code == 0, ended.err
    assert "waits for the run of" not in ended.out
    assert rows("select revision from effects order by 1") == [("0002",), ("0003",), ("0004",)]
