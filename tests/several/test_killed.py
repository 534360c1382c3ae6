"""Runs of several PostgreSQL stores, killed, frozen or told to stop: the process of a lane goes with its run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psycopg
import pytest

from provision.model import StoreOptions
from provision.stores.postgres.migrate import own_process
from provision.stores.postgres.migrate.shared_clock import Until
from tests.concurrency.project import Run
from tests.several.conftest import Make
from tests.several.project import Several
from tests.stores.postgres import environments
from tests.stores.postgres.projects import rows

# Ends a process at the N-th boundary of a lane: "lane" the lane's own, "run" the one that it belongs to.
TRAP = """\
import os, signal
from functools import wraps
from provision.stores.postgres import ledger
from provision.stores.postgres.migrate import alembic_lane, session
who, at, side = os.environ.get("TRAP", "none:0:before").split(":")
passed = 0
def trapped(owner, name):
    method = getattr(owner, name)
    if hasattr(method, "trapped"):
        return
    @wraps(method)
    def wrapped(*arguments, **keywords):
        global passed
        passed += 1
        mine = passed
        if mine == int(at) and side == "before":
            end()
        found = method(*arguments, **keywords)
        if mine == int(at) and side == "after":
            end()
        return found
    wrapped.trapped = True
    setattr(owner, name, wrapped)
def end():
    os.kill(os.getpid() if who == "lane" else os.getppid(), signal.SIGKILL)
    signal.pause()
for owner, name in ((ledger.PostgresLedger, "append"), (session.Session, "end"), (alembic_lane._Pulled, "finish")):
    trapped(owner, name)
"""
COUNTED = 'op.execute("insert into effects values ({number})")'
INDEX = 'with op.get_context().autocommit_block():\n    op.execute("create index concurrently i on effects (n)")'
SLEEPING = "select 1 from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()"
LAST = 12  # boundaries of lane b; a trap behind the last one is a run that nobody disturbs


@pytest.mark.parametrize("who", ["lane", "run"])
@pytest.mark.parametrize("at", range(1, LAST + 1, 1))
def test_killed_at_a_boundary_everything_is_done_once(
    several: Make, who: str, at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = several(2)
    project.env("b", TRAP + environments.PLAIN)
    fill(project)
    monkeypatch.setenv("TRAP", f"{who}:{at}:{'before' if at % 2 else 'after'}")

    first = project.run("up", lease="2s")
    monkeypatch.delenv("TRAP")
    if first.code != 0:
        assert first.code == (5 if who == "lane" else -signal.SIGKILL), first.err
        again = project.run("up", lease="2s")
        assert again.code == 0, again.err

    for store in project.urls:
        assert rows(project.urls[store], "select n from effects order by n") == [(2,), (3,), (5,)]
        assert rows(project.urls[store], "select version_num from alembic_version") == [("0005",)]
    assert rows(project.urls["b"], "select indisvalid from pg_index where indexrelid = 'i'::regclass") == [(True,)]


@pytest.mark.parametrize("messages", [0, 1, 2])
def test_the_process_of_a_lane_whose_run_is_gone_says_nothing(messages: int, tmp_path: Path) -> None:
    options = StoreOptions("b", "postgres", "shop", tmp_path, tmp_path)
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    with Until.made() as until:
        ours, theirs = socket.socketpair()
        life, held = os.pipe()
        descriptors = (theirs.fileno(), until.descriptor, life)
        with subprocess.Popen(
            [sys.executable, str(own_process.CHILD), *map(str, descriptors)],
            pass_fds=descriptors, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as lane:  # fmt: skip
            theirs.close()
            with Connection(ours.detach()) as connection:
                for message in (list(sys.path), (options, nowhere, 1, None))[:messages]:
                    connection.send(message)
            said, _ = lane.communicate(timeout=60)
        os.close(life)
        os.close(held)
    assert (lane.returncode, said) == (1, "")


def fill(project: Several) -> None:
    for store in project.urls:
        project.revision(store, 1, 'op.execute("create table effects (n int)")')
        project.revision(store, 2, COUNTED.format(number=2))
        project.revision(store, 3, COUNTED.format(number=3))
        project.revision(store, 4, INDEX)
        project.revision(store, 5, COUNTED.format(number=5))


@pytest.fixture
def slow(several: Make) -> Several:
    """Two stores whose first revision takes three seconds."""
    project = several(2)
    for store in "ab":
        project.revision(store, 1, 'op.execute("select pg_sleep(3)"); op.execute("create table done1 (x int)")')
        project.revision(store, 2, requires=("a/0001",) if store == "b" else ("b/0001",))
    return project


def sleeping(project: Several) -> bool:
    return all(rows(url, f"{SLEEPING} and datname = current_database()") for url in project.urls.values())


@pytest.mark.parametrize("to_all", [False, True], ids=["to the run", "to the group"])
def test_interrupted_finishes_the_statement_in_hand_and_no_other(slow: Several, to_all: bool) -> None:
    run = slow.start("up")
    run.until(lambda: sleeping(slow), "both slow statements")
    for pid in [run.pid, *(children(run) if to_all else [])]:
        os.kill(pid, signal.SIGINT)

    ended = run.end()

    assert ended.code == 5
    assert "error[interrupted]: stopped by SIGINT" in ended.err
    assert [slow.tables(store) for store in "ab"] == [[], []]
    slow.up()
    assert [slow.tables(store) for store in "ab"] == [["a0002", "done1"], ["b0002", "done1"]]


def test_killed_run_leaves_no_process_of_a_lane(slow: Several) -> None:
    run = slow.start("up")
    run.until(lambda: sleeping(slow), "both slow statements")
    lanes = children(run)
    assert len(lanes) == 2

    run.kill()

    deadline = time.monotonic() + 5
    while any(Path(f"/proc/{pid}/exe").exists() for pid in lanes):
        assert time.monotonic() < deadline, "a lane outlived its run"
        time.sleep(0.02)
    slow.up()
    assert [slow.tables(store) for store in "ab"] == [["a0002", "done1"], ["b0002", "done1"]]


def test_second_run_waits_for_the_first(slow: Several) -> None:
    run = slow.start("up")
    run.until(lambda: sleeping(slow), "both slow statements")

    second = slow.run("up", "--wait", "0")

    assert (second.code, "error[lease-held]" in second.err) == (6, True)
    assert run.end().code == 0


def test_frozen_run_whose_lanes_live_on_loses_the_lock_and_lands_nothing(slow: Several) -> None:
    run = slow.start("up", lease="1s")
    run.until(lambda: sleeping(slow), "both slow statements")
    run.send(signal.SIGSTOP)

    second = slow.run("up", "--wait", "10s", lease="1s")
    run.send(signal.SIGCONT)
    first = run.end()

    assert second.code == 0, second.err
    assert (first.code, "error[lease-lost]" in first.err) == (5, True)
    for store in "ab":
        assert slow.tables(store) == [f"{store}0002", "done1"]
        assert slow.ledger(store) == [(f"{store}/0001", "applied"), (f"{store}/0002", "applied")]


def test_half_done_lane_is_settled_by_resolve(several: Make) -> None:
    project = several(2)
    project.revision("a", 1)
    project.revision("b", 1, 'op.execute("create table kept (x int)"); op.execute("COMMIT"); op.execute("select no")')
    assert project.run("up").code == 5
    assert "error[dirty]" in project.run("up").err

    settled = project.run("resolve", "b/0001", "--applied")

    assert settled.code == 0, settled.err
    assert project.up().out.endswith("nothing to do\n")
    assert rows(project.urls["b"], "select version_num from alembic_version") == [("0001",)]
    with psycopg.connect(project.urls["b"]) as connection:
        assert connection.execute("select to_regclass('kept') is not null").fetchone() == (True,)


def children(run: Run) -> list[int]:
    found = Path(f"/proc/{run.pid}/task").glob("*/children")
    return [int(pid) for file in found for pid in file.read_text().split()]
