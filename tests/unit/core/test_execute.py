"""Lanes run side by side; order, failures, signals and the barrier between them."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from provision.core.execute import Coordinator, EventNumbering, Execution, execute
from provision.core.graph import Graph
from provision.errors import FailedError, Interrupted, LeaseLost, StatementFailed, UnreachableError
from provision.model import (
    Began,
    Direction,
    Done,
    EventKind,
    Failure,
    Note,
    Plan,
    Report,
    Revision,
    RunEvent,
    Step,
)
from provision.ports import Journal
from tests.unit.core.builders import chain, told

Act = Callable[[Step, Journal], None]
MAIN = threading.main_thread().ident or 0


class Lanes:
    """Stores whose lanes do what the test says to each step, and what they were seen to do."""

    def __init__(self, **acts: Act) -> None:
        self.order: list[str] = []
        self.told: list[RunEvent] = []
        self.lost: LeaseLost | None = None
        self.resume: dict[str, int] = {}
        self.board = Coordinator(len(acts))
        self.interrupted: Callable[[BaseException, bool], None] = lambda _error, _at_work: None
        self.stores: dict[str, Any] = {
            name: SimpleNamespace(name=name, lane=self._lane(act)) for name, act in acts.items()
        }

    def run(self, *revisions: Revision, direction: Direction = Direction.UP) -> Report:
        order = Graph(revisions).order
        steps = tuple(Step(each, direction) for each in (order if direction is Direction.UP else reversed(order)))
        pens = {name: EventNumbering("vfr", 7, "ci@runner") for name in self.stores}
        hidden = lambda text: text.replace("pw", "•••")  # noqa: E731 (one argument of many)
        run = Execution(
            pens, self.board, self._check, self.told.append, self.resume, hidden, interrupted=self.interrupted
        )
        return execute(Plan(steps), self.stores, run)

    def _check(self) -> None:
        if self.lost is not None:
            raise self.lost

    def _lane(self, act: Act) -> Any:
        def run(steps: Iterator[Step], journal: Journal) -> None:
            for step in steps:
                act(step, journal)
                self.order.append(step.id)

        return SimpleNamespace(run=run)


def nothing(_step: Step, _journal: Journal) -> None:
    """A step that does nothing."""


def ids(steps: Sequence[Step]) -> list[str]:
    return [step.id for step in steps]


def test_execute_slow_lane_is_waited_for_by_what_requires_it() -> None:
    begun, release = threading.Event(), threading.Event()

    def slow(step: Step, _journal: Journal) -> None:
        if step.id == "a/2":
            begun.set()
            release.wait(5)

    def quick(step: Step, _journal: Journal) -> None:
        if step.id == "b/1":
            assert begun.wait(5)
            release.set()  # b/1 needs nothing of a: it runs while a/2 does

    lanes = Lanes(a=slow, b=quick)

    report = lanes.run(*chain("a", 2), *chain("b", 2, requires={2: ("a/2",)}))

    assert lanes.order == ["a/1", "b/1", "a/2", "b/2"]
    assert ids([done.step for done in report.done]) == ["a/1", "b/1", "a/2", "b/2"]
    assert (report.failures, report.remaining) == ((), ())


def test_execute_down_turns_the_edges_round() -> None:
    lanes = Lanes(a=nothing, b=nothing)

    lanes.run(*chain("a", 2), *chain("b", 2, requires={1: ("a/1",)}), direction=Direction.DOWN)

    assert lanes.order.index("b/1") < lanes.order.index("a/1")


def test_execute_happenings_are_told_as_they_happen() -> None:
    lanes = Lanes(a=lambda step, journal: journal.note(f"hello {step.id}"))

    lanes.run(*chain("a", 1))

    assert [type(each) for each in lanes.told] == [Began, Note, Done]
    assert lanes.told[1] == Note("a", "hello a/1")


def test_execute_failure_lets_others_end_their_step_and_stops_them() -> None:
    failed = threading.Event()

    def fails(_step: Step, _journal: Journal) -> None:
        failed.set()
        raise StatementFailed("no room", number=3, statement="insert")

    def ends(_step: Step, _journal: Journal) -> None:
        assert failed.wait(5)

    lanes = Lanes(a=fails, b=ends)

    report = lanes.run(*chain("a", 2), *chain("b", 3))

    (failure,) = report.failures
    assert (failure.step.id, failure.statement, str(failure.error)) == ("a/1", 3, "statement-failed: no room")
    assert "b/1" in lanes.order
    assert {"a/1", "a/2", "b/3"} <= set(ids(report.remaining))
    assert [each for each in lanes.told if isinstance(each, Failure)] == [failure]


def test_execute_requiring_lane_gives_up_when_what_it_waits_for_fails() -> None:
    def fails(_step: Step, _journal: Journal) -> None:
        raise StatementFailed("no", number=1, statement="x")

    report = Lanes(a=fails, b=nothing).run(*chain("a", 1), *chain("b", 1, requires={1: ("a/1",)}))

    assert [failure.step.id for failure in report.failures] == ["a/1"]
    assert ids(report.remaining) == ["a/1", "b/1"]


def test_execute_lane_that_cannot_begin_lets_no_other_send_anything() -> None:
    lanes = Lanes(a=nothing, b=nothing)

    def broken(_steps: Iterator[Step], _journal: Journal) -> None:
        raise FailedError("env-failed", "env.py of a failed")

    lanes.stores["a"].lane.run = broken

    report = lanes.run(*chain("a", 1), *chain("b", 2))

    assert lanes.order == []
    assert ids(report.remaining) == ["a/1", "b/1", "b/2"]
    assert [(failure.step.id, str(failure.error)) for failure in report.failures] == [
        ("a/1", "env-failed: env.py of a failed")
    ]


def test_execute_store_with_nothing_to_do_holds_nobody_up() -> None:
    lanes = Lanes(a=nothing, b=nothing)
    lanes.board = Coordinator(1)  # as `move` makes it: the stores that have steps

    assert ids([done.step for done in lanes.run(*chain("a", 2)).done]) == ["a/1", "a/2"]


def test_execute_interrupt_between_statements_stops_before_the_next() -> None:
    def stops(_step: Step, journal: Journal) -> None:
        lanes.board.stop(Interrupted("SIGINT"))
        journal.check()

    lanes = Lanes(a=stops)

    report = lanes.run(*chain("a", 2))

    (failure,) = report.failures
    assert (failure.step.id, str(failure.error)) == ("a/1", "interrupted: stopped by SIGINT")
    assert ids(report.remaining) == ["a/1", "a/2"]


def test_execute_interrupt_while_every_lane_is_between_steps_is_reported() -> None:
    def stops(_step: Step, _journal: Journal) -> None:
        lanes.board.stop(Interrupted("SIGTERM"))

    lanes = Lanes(a=stops)

    report = lanes.run(*chain("a", 2))

    assert lanes.order == ["a/1"]
    assert [(failure.step.id, str(failure.error)) for failure in report.failures] == [
        ("a/2", "interrupted: stopped by SIGTERM")
    ]
    assert ids(report.remaining) == ["a/2"]


def test_execute_interrupt_after_the_last_step_changes_nothing() -> None:
    lanes = Lanes(a=lambda _step, _journal: lanes.board.stop(Interrupted("SIGINT")))

    report = lanes.run(*chain("a", 1))

    assert (report.failures, report.remaining) == ((), ())


def test_execute_lost_lease_stops_before_the_step() -> None:
    lanes = Lanes(a=nothing)
    lanes.lost = LeaseLost("anna@host (pid 3)")

    report = lanes.run(*chain("a", 1))

    assert lanes.order == []
    assert [str(failure.error) for failure in report.failures] == [
        "lease-lost: the run lock was taken over by anna@host (pid 3)"
    ]


def test_execute_lost_lease_that_a_ledger_sees_first_stops_the_other_lanes_before_their_next_statement() -> None:
    lost = threading.Event()

    def late(_step: Step, _journal: Journal) -> None:
        raise LeaseLost("a run with a token above 7")

    def busy(_step: Step, journal: Journal) -> None:
        assert lost.wait(5)
        journal.check()

    class Told(list[RunEvent]):
        def append(self, happening: RunEvent) -> None:
            super().append(happening)
            if isinstance(happening, Failure):
                lost.set()

    lanes = Lanes(a=late, b=busy)
    lanes.told = Told()

    report = lanes.run(*chain("a", 1), *chain("b", 1))

    assert {str(each.error) for each in report.failures} == {
        "lease-lost: the run lock was taken over by a run with a token above 7"
    }
    assert len(report.failures) == 2


def test_execute_lost_server_is_a_failure_of_the_run() -> None:
    def lost(_step: Step, _journal: Journal) -> None:
        raise UnreachableError("unreachable", "a does not answer", where="host:1", fix="start it")

    report = Lanes(a=lost).run(*chain("a", 1))

    error = report.failures[0].error
    assert isinstance(error, FailedError)
    assert told(error) == [
        (
            "server-lost",
            "a does not answer",
            "host:1",
            "bring the server back and run the same command again: it finds out what became of the last statement",
        )
    ]


def test_execute_unexpected_exception_becomes_an_error_with_its_place() -> None:
    def breaks(_step: Step, _journal: Journal) -> None:
        raise ZeroDivisionError("division by zero")

    report = Lanes(a=breaks).run(*chain("a", 1))

    error = report.failures[0].error
    assert isinstance(error, FailedError)
    assert told(error) == [
        (
            "unexpected",
            "ZeroDivisionError: division by zero",
            "a/1.sql",
            "run `provision status`; the ledger says what was done",
        )
    ]


def test_execute_unexpected_exception_before_the_first_step_has_no_place() -> None:
    lanes = Lanes(a=nothing)

    def broken(_steps: Iterator[Step], _journal: Journal) -> None:
        raise OSError("gone")

    lanes.stores["a"].lane.run = broken

    error = lanes.run(*chain("a", 1)).failures[0].error
    assert isinstance(error, FailedError)
    assert (error.what, error.where) == ("OSError: gone", "")


def test_journal_events_are_numbered_directed_and_masked() -> None:
    made = []

    def writes(step: Step, journal: Journal) -> None:
        made.append(journal.event(step, EventKind.STARTED, statement=2, text="x"))
        made.append(journal.event(step, EventKind.FAILED, duration_ms=5, error="the pw is wrong"))
        assert str(journal.mark(step, 2)) == "provision/vfr/7/a/1/2"
        assert (journal.token, journal.begin_at(step)) == (7, 4)

    lanes = Lanes(a=writes)
    lanes.resume = {"a/1": 4}

    lanes.run(*chain("a", 1), direction=Direction.DOWN)

    assert [(each.token, each.n, each.statement, each.duration_ms) for each in made] == [(7, 1, 2, 0), (7, 2, None, 5)]
    assert [dict(each.detail) for each in made] == [
        {"file": "1.sql", "direction": "down", "text": "x"},
        {"direction": "down", "error": "the ••• is wrong"},
    ]
    assert {(each.project, each.revision, each.actor, each.checksum) for each in made} == {
        ("vfr", "a/1", "ci@runner", "1" * 40)
    }


@pytest.mark.parametrize("second", [Interrupted("SIGTERM"), FailedError("x", "x")])
def test_board_first_reason_to_stop_is_kept(second: Exception) -> None:
    board, first = Coordinator(0), Interrupted("SIGINT")

    board.stop(first)
    board.stop(second)

    assert board.stopped is first
    assert not board.wait_for(())


def test_execute_what_is_raised_in_the_waiting_thread_ends_the_lanes_first() -> None:
    seen: list[object] = []

    def acts(_step: Step, _journal: Journal) -> None:
        signal.pthread_kill(MAIN, signal.SIGUSR1)
        time.sleep(0.3)
        seen.append("done")

    with raising(KeyboardInterrupt) as pressed:
        lanes = Lanes(a=acts)
        lanes.interrupted = lambda error, at_work: seen.append((error, at_work))
        with pytest.raises(KeyboardInterrupt) as raised:
            lanes.run(*chain("a", 2))
    assert pressed == [1]
    assert seen == ["done", (raised.value, False)]
    assert [str(each.error) for each in lanes.told if isinstance(each, Failure)] == []
    assert str(lanes.board.stopped) == "interrupted: stopped by KeyboardInterrupt"


def test_execute_what_is_raised_twice_leaves_at_once() -> None:
    end, seen = threading.Event(), list[object]()

    def acts(_step: Step, _journal: Journal) -> None:
        for _ in range(2):
            signal.pthread_kill(MAIN, signal.SIGUSR1)
            time.sleep(0.3)
        assert end.wait(30)

    with raising(KeyboardInterrupt) as pressed:
        lanes = Lanes(a=acts)
        lanes.interrupted = lambda _error, at_work: seen.append(at_work)
        with pytest.raises(KeyboardInterrupt):
            lanes.run(*chain("a", 1))
    end.set()
    assert pressed == [1, 1]
    assert seen == [True]


@contextmanager
def raising(error: type[BaseException]) -> Iterator[list[int]]:
    """A handler of SIGUSR1 that raises, as Python's own of SIGINT does; what it counts."""
    pressed: list[int] = []

    def handle(*_: object) -> None:
        pressed.append(1)
        raise error

    before = signal.signal(signal.SIGUSR1, handle)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGUSR1, before)
