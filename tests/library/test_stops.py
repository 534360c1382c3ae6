"""How a move ends before its end, and that the same call goes on afterwards."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from provision import (
    Began,
    Done,
    FailedError,
    Failure,
    Interrupted,
    LeaseHeld,
    Report,
    Run,
    RunEvent,
    StatementFailed,
    Stop,
)
from tests.library.shop import Elsewhere, Shop, until, working


def test_a_stop_ends_after_the_statement_in_hand_and_the_same_move_goes_on(shop: Shop) -> None:
    slow, after = shop.slow(1.5), shop.table()
    project, stop = shop.open(), Stop()
    moving = Elsewhere(lambda: project.up(stop=stop))
    until(lambda: working(shop), "the first statement")
    stop.request()
    error = moving.result()
    assert isinstance(error, Interrupted)
    assert isinstance(error, FailedError)
    assert (error.code, error.what) == ("interrupted", "stopped by the program that runs it")
    assert (error.done, error.remaining) == ((), (slow, after))
    assert project.lock() is None
    assert project.status().flagged == {}
    assert shop.tables() == []  # the revision in hand is one transaction
    assert [each.step.id for each in project.up().done] == [slow, after]


def test_a_stop_that_came_first_lets_nothing_begin(shop: Shop) -> None:
    shop.table()
    stop = Stop()
    stop.request()
    with pytest.raises(Interrupted):
        shop.open().up(stop=stop)
    assert shop.tables() == []


@pytest.mark.parametrize("waits_for", ["a lock", "a server"])
def test_a_stop_ends_a_wait(shop: Shop, waits_for: str) -> None:
    shop.slow(4)
    stop, holder = Stop(), Elsewhere(shop.open().up)
    until(lambda: working(shop), "the first statement")
    project = shop.open("nowhere", wait_for=60) if waits_for == "a server" else shop.open()
    waiting = Elsewhere(lambda: project.up(stop=stop, wait=60))
    time.sleep(1)
    assert not waiting.ended
    stop.request()
    began = time.monotonic()
    assert isinstance(waiting.result(), Interrupted)
    assert time.monotonic() - began < 2
    assert isinstance(holder.result(), Report)


def test_who_may_not_wait_is_told_who_holds_the_lock(shop: Shop) -> None:
    shop.slow(2)
    project, holder = shop.open(), Elsewhere(shop.open().up)
    until(lambda: working(shop), "the first statement")
    with pytest.raises(LeaseHeld) as raised:
        project.up(wait=0)
    assert raised.value.code == "lease-held"
    holding = project.lock()
    assert holding is not None
    assert project.release_lock(holding) is False  # asked back: its holder lives
    error = holder.result()
    assert isinstance(error, FailedError | Report)
    assert project.lock() is None
    assert project.up().remaining == ()


@pytest.mark.parametrize("kind", [Began, Done])
def test_a_listener_that_raises_ends_the_move_and_is_heard(shop: Shop, kind: type) -> None:
    one, two, three = shop.table(), shop.table(), shop.table()
    project, heard = shop.open(), list[RunEvent]()

    def listener(event: RunEvent) -> None:
        heard.append(event)
        if isinstance(event, kind) and event.step.id == two:
            raise ZeroDivisionError("the progress bar is broken")

    with pytest.raises(ZeroDivisionError, match="progress bar") as raised:
        project.up(on_event=listener)

    done = [one, two] if kind is Done else [one]
    assert project.status().applied == tuple(done)
    assert project.status().flagged == {}
    assert raised.value.__notes__ == [_note(done, [three if kind is Done else two])]
    assert not any(isinstance(each, Failure) for each in heard), "a listener that raised is called again"
    assert [each.event.kind for each in project.history() if each.event.kind == "failed"] == []
    assert [each.step.id for each in project.up().done] == [each for each in (one, two, three) if each not in done]


def _note(done: list[str], begun: list[str]) -> str:
    more = f"; begun and not done: {', '.join(begun)}" if begun else ""
    return f"provision: done in this run: {', '.join(done)}{more}; the same call again goes on there"


def test_a_listener_that_raises_does_not_hide_what_failed(shop: Shop) -> None:
    shop.revision('op.execute("select nothing from nowhere")')

    def listener(event: RunEvent) -> None:
        if isinstance(event, Failure):
            raise KeyError("x")

    with pytest.raises(KeyError) as raised:
        shop.open().up(on_event=listener)
    assert isinstance(raised.value.__cause__, StatementFailed)


def test_a_run_is_iterated_and_reports(shop: Shop) -> None:
    one, two = shop.table(), shop.table()
    run = shop.open().begin_up(only="postgres")
    assert [(type(each), each.step.id) for each in run if isinstance(each, Began | Done)] == [
        (kind, name) for name in (one, two) for kind in (Began, Done)
    ]
    assert list(run) == []
    assert next(run, None) is None
    assert [each.step.id for each in run.report().done] == [one, two]
    assert run.report() is run.report()
    assert not run.running
    assert [each.step.id for each in shop.open().begin_down(steps=1, allow_destructive=True).report().done] == [two]


def test_a_run_that_nobody_iterates_ends(shop: Shop) -> None:
    for _ in range(20):
        shop.table()
    assert len(shop.open().begin_up().report().done) == 20


def test_two_that_iterate_over_one_run_both_come_to_its_end(shop: Shop) -> None:
    shop.slow(1)
    run = shop.open().begin_up()
    readers = [Elsewhere(lambda: sum(isinstance(each, Began | Done) for each in run)) for _ in range(2)]
    assert sum(int(str(each.result())) for each in readers) == 2


def test_a_run_is_stopped(shop: Shop) -> None:
    slow, after = shop.slow(1.5), shop.table()
    run = shop.open().begin_up()
    until(lambda: working(shop), "the first statement")
    run.stop()
    for _ in range(2):
        with pytest.raises(Interrupted) as raised:
            run.report()
        assert raised.value.remaining == (slow, after)


def test_a_block_is_left_when_its_run_has_ended(shop: Shop) -> None:
    slow, after = shop.slow(1.5), shop.table()
    left: list[Run[RunEvent, Report]] = []

    def leave() -> None:
        with shop.open().begin_up() as run:
            left.append(run)
            until(lambda: working(shop), "the first statement")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError) as raised:
        leave()
    assert not left[0].running
    assert "interrupted: stopped by the program that runs it" in raised.value.__notes__[0]
    with shop.open().begin_up() as run:
        pass
    assert [each.step.id for each in run.report().done] == [slow, after]
    shop.revision('op.execute("select nothing from nowhere")')
    with pytest.raises(StatementFailed), shop.open().begin_up():
        pass


PROGRAM = """\
import sys, threading, os, signal, time
from provision import Began, Failure, Project
project = Project.open({root!r}, "test")
times = {times}
def press():
    for _ in range(times):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.7)
def heard(event):
    global began
    if isinstance(event, Began):
        began = time.monotonic()
        threading.Timer(0.7, press).start()
    if isinstance(event, Failure):
        print("heard", event.error, flush=True)
try:
    project.up(on_event=heard)
except KeyboardInterrupt as error:
    print("left", *getattr(error, "__notes__", ()), sep="|", flush=True)
    print("in time" if time.monotonic() - began < 4 else "late", project.lock() is not None, flush=True)
"""


def program(shop: Shop, times: int) -> list[str]:
    """What a program prints of a move during which Ctrl-C is pressed so many times."""
    text = PROGRAM.format(root=str(shop.root), times=times)
    done = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
        cwd=Path(__file__).parents[2],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background may ignore it
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_ctrl_c_ends_after_the_statement_in_hand_and_leaves_then(shop: Shop) -> None:
    slow, after = shop.slow(5), shop.table()
    assert program(shop, 1) == [
        "heard interrupted: stopped by KeyboardInterrupt",
        f"left|provision: done in this run: nothing; begun and not done: {slow}; the same call again goes on there",
        "late False",
    ]
    project = shop.open()
    assert (project.status().applied, project.status().flagged) == ((), {})
    assert [each.step.id for each in project.up().done] == [slow, after]


def test_ctrl_c_twice_leaves_at_once_and_keeps_the_lock_until_it_runs_out(shop: Shop) -> None:
    slow, after = shop.slow(8), shop.table()
    file = shop.root / "provision.toml"
    file.write_text(file.read_text().replace('lease = "30s"', 'lease = "5s"'))
    out = program(shop, 2)
    begun = f"begun and not done: {slow}; the same call again goes on there"
    assert f"left|provision: done in this run: nothing; {begun}" in out
    assert "in time True" in out
    assert [each.step.id for each in shop.open().up().done] == [slow, after]
    assert shop.tables() == ["s1", "t0002"]


def test_what_another_handler_of_signals_raises_comes_out_as_it_is(shop: Shop) -> None:
    """As Celery's and Airflow's time limits do."""
    import signal

    slow = shop.slow(2)

    class TooLate(Exception):
        pass

    def late(*_: object) -> None:
        raise TooLate("too late")

    before = signal.signal(signal.SIGALRM, late)
    try:
        signal.setitimer(signal.ITIMER_REAL, 1.2)
        with pytest.raises(TooLate, match="too late") as raised:
            _in_main_thread(lambda: shop.open().up())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert "provision: done in this run: " in raised.value.__notes__[0]
    assert shop.open().status().flagged == {}
    assert shop.open().up().remaining == ()
    assert shop.open().status().applied == (slow,)


def _in_main_thread(call: Callable[[], object]) -> None:
    assert threading.current_thread() is threading.main_thread(), "handlers of signals run there alone"
    call()


def test_a_run_is_a_run_of_its_kind(shop: Shop) -> None:
    shop.table()
    assert isinstance(shop.open().begin_up(), Run)
