"""The end of a step and the start of the next one go in one request, where the next one can begin at once."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from provision.core.execute import Coordinator, EventNumbering, Execution, execute
from provision.core.graph import Graph
from provision.errors import Interrupted, LeaseLost, StatementFailed
from provision.model import Event, Plan, Report, Revision, Step
from provision.model.statements import Fate, Mark, Outcome, Statement
from tests.unit.core.builders import chain


class Joining:
    """`provision.ports.Joined`: each step is one statement; a request is a line of `tape`."""

    def __init__(self, tape: list[str]) -> None:
        self.tape = tape
        self.during: dict[str, Callable[[], None]] = {}  # what happens while a line is added
        self.refused = ""

    def of(self, step: Step) -> list[Statement]:
        return [Statement(step.id, f"makes {step.id}")]

    def advance(self, *_given: Any) -> None:
        raise AssertionError("every statement here is the last of its step")

    def send(self, statement: Statement, mark: Mark) -> None:
        if statement.text == self.refused:
            raise StatementFailed("no room", number=mark.statement or 0, statement=statement.text)
        self._add(f"send {statement.text}")

    def record(self, event: Event, _upcoming: Statement | None) -> None:
        self._add(_told(event))

    def record_both(self, end: Event, start: Event, upcoming: Statement) -> None:
        assert (start.revision, start.detail["text"]) == (upcoming.text, upcoming.text)
        assert start.n == end.n + 1
        self._add(f"{_told(end)} + {_told(start)}")

    def probe(self, _statement: Statement, _event: Event) -> Fate:
        return Fate(Outcome.CANNOT_TELL, "no trace")

    def _add(self, line: str) -> None:
        self.tape.append(line)
        self.during.pop(line, lambda: None)()


def _wait(board: Coordinator, name: str) -> None:
    board.wait_for([name])


def _told(event: Event) -> str:
    return f"{event.kind} {event.revision}"


class Lanes:
    """Two stores whose requests share one tape."""

    def __init__(self) -> None:
        self.tape: list[str] = []
        self.a, self.b = Joining(self.tape), Joining(self.tape)
        self.resume: dict[str, int] = {}
        self.lost: LeaseLost | None = None
        self.board = Coordinator(0)

    def run(self, *revisions: Revision) -> Report:
        graph = Graph(revisions)
        stores: dict[str, Any] = {
            name: SimpleNamespace(name=name, lane=None, statements=each)
            for name, each in (("a", self.a), ("b", self.b))
            if graph.of(name)
        }
        pens = {name: EventNumbering("vfr", 7, "ci@runner") for name in stores}
        run = Execution(pens, self.board, self._check, lambda _: None, self.resume)
        return execute(Plan(tuple(Step(each) for each in graph.order)), stores, run)

    def lose(self) -> None:
        self.lost = LeaseLost("another run")

    def _check(self) -> None:
        if self.lost is not None:
            raise self.lost


def test_lane_steps_in_a_row_cost_one_ledger_request_each() -> None:
    lanes = Lanes()

    lanes.run(*chain("a", 3))

    assert lanes.tape == [
        "started a/1",
        "send a/1",
        "applied a/1 + started a/2",
        "send a/2",
        "applied a/2 + started a/3",
        "send a/3",
        "applied a/3",
    ]


def test_lane_that_has_to_wait_writes_its_end_before_it_waits() -> None:
    lanes = Lanes()
    lanes.a.during["send a/1"] = lambda: _wait(lanes.board, "b/1")

    report = lanes.run(*chain("a", 2, requires={2: ("b/2",)}), *chain("b", 2, requires={2: ("a/1",)}))

    mine = [line for line in lanes.tape if " a/" in line]
    assert mine == ["started a/1", "send a/1", "applied a/1", "started a/2", "send a/2", "applied a/2"]
    assert lanes.tape.index("applied a/1") < lanes.tape.index("send b/2")
    assert report.remaining == ()


def test_lane_next_step_is_resumed_and_not_begun_with_the_end_before_it() -> None:
    lanes = Lanes()
    lanes.resume["a/2"] = 1

    lanes.run(*chain("a", 2))

    assert lanes.tape == ["started a/1", "send a/1", "applied a/1", "started a/2", "send a/2", "applied a/2"]


@pytest.mark.parametrize("reason", [Interrupted("SIGINT"), StatementFailed("no", number=1, statement="x")])
def test_lane_stopped_during_a_statement_begins_no_other_step(reason: Exception) -> None:
    lanes = Lanes()
    lanes.a.during["send a/1"] = lambda: lanes.board.stop(reason)

    report = lanes.run(*chain("a", 2))

    assert lanes.tape == ["started a/1", "send a/1", "applied a/1"]
    assert [step.id for step in report.remaining] == ["a/2"]


def test_lane_interrupted_while_the_next_step_is_begun_writes_that_it_was_not_sent() -> None:
    lanes = Lanes()
    lanes.a.during["applied a/1 + started a/2"] = lambda: lanes.board.stop(Interrupted("SIGINT"))

    report = lanes.run(*chain("a", 3))

    assert lanes.tape == ["started a/1", "send a/1", "applied a/1 + started a/2", "failed a/2"]
    assert ([done.step.id for done in report.done], report.failures[0].step.id) == (["a/1"], "a/2")
    assert isinstance(report.failures[0].error, Interrupted)


def test_lane_finishes_the_step_it_has_begun_when_another_lane_fails() -> None:
    lanes = Lanes()
    failed = StatementFailed("no", number=1, statement="x")
    lanes.a.during["applied a/1 + started a/2"] = lambda: lanes.board.stop(failed)

    report = lanes.run(*chain("a", 3))

    assert lanes.tape[-2:] == ["send a/2", "applied a/2"]
    assert [step.id for step in report.remaining] == ["a/3"]


def test_lane_that_lost_the_lease_writes_nothing_more() -> None:
    lanes = Lanes()
    lanes.a.during["applied a/1 + started a/2"] = lanes.lose

    report = lanes.run(*chain("a", 3))

    assert lanes.tape == ["started a/1", "send a/1", "applied a/1 + started a/2"]
    assert report.failures[0].step.id == "a/2"
    assert isinstance(report.failures[0].error, LeaseLost)


def test_lane_refused_statement_of_a_step_begun_with_the_end_before_it_is_recorded() -> None:
    lanes = Lanes()
    lanes.a.refused = "a/2"

    report = lanes.run(*chain("a", 2))

    assert lanes.tape == ["started a/1", "send a/1", "applied a/1 + started a/2", "failed a/2"]
    assert report.failures[0].statement == 1
