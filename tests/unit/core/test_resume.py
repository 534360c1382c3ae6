"""Open attempts are settled before anything is sent; statements of earlier runs are outlasted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from provision.core.graph import Graph
from provision.core.resume import older, settle, wait_out
from provision.errors import LeaseLost, ProvisionError
from provision.model import EventKind, Step
from provision.model.statements import Fate, Mark, Outcome, Running, Statement
from tests.unit.core.builders import applied, chain, event, standings, told

GRAPH = Graph([*chain("a", 2), *chain("b", 1)])
STEPS = [Step(each) for each in GRAPH.order]


def by_statements(outcome: Outcome) -> Any:
    part = SimpleNamespace(of=lambda _: [Statement("x", "x")], probe=lambda *_: Fate(outcome, "seen"))
    return SimpleNamespace(statements=part, lane=None)


def by_lane(outcome: Outcome) -> Any:
    return SimpleNamespace(statements=None, lane=SimpleNamespace(probe=lambda *_: Fate(outcome, "seen")))


def started(name: str) -> Any:
    return event(name, EventKind.STARTED, 5, statement=1, detail={"text": "x"})


def test_settle_only_open_attempts_are_asked_about() -> None:
    assert settle(STEPS, standings(GRAPH, applied("a/1")), {}) == {}


@pytest.mark.parametrize(("outcome", "expected"), [(Outcome.DONE, 2), (Outcome.NOT_DONE, 1)])
def test_settle_statement_in_flight_is_passed_or_sent_again(outcome: Outcome, expected: int) -> None:
    known = standings(GRAPH, [started("a/1"), started("b/1")])
    stores = {"a": by_statements(outcome), "b": by_lane(outcome)}

    assert settle(STEPS, known, stores) == {"a/1": expected, "b/1": expected}


def test_settle_lane_that_was_refused_sends_again() -> None:
    known = standings(GRAPH, [started("b/1"), event("b/1", EventKind.FAILED, 6, statement=1)])

    assert settle(STEPS, known, {"b": by_lane(Outcome.CANNOT_TELL)}) == {"b/1": 1}


def test_settle_all_that_is_dirty_is_told_together() -> None:
    known = standings(GRAPH, [started("a/1"), started("b/1")])
    stores = {"a": by_statements(Outcome.CANNOT_TELL), "b": by_lane(Outcome.DIFFERENT)}

    with pytest.raises(ProvisionError) as caught:
        settle(STEPS, known, stores)

    fix = (
        "look at the database; has statement 1 taken effect, `provision resolve {0} --done-to 1`,"
        " else `provision resolve {0} --pending`; then run the same command again"
    )
    assert told(caught.value) == [
        (
            "dirty",
            "a/1 stopped in statement 1 of 1, and what became of it is not certain",
            "a/1.sql: x; seen",
            fix.format("a/1"),
        ),
        (
            "dirty",
            "b/1 stopped in statement 1, and what became of it is not certain",
            "b/1.sql: x; seen",
            fix.format("b/1"),
        ),
    ]


def running(token: int, project: str = "vfr") -> Running:
    return Running(Mark(project, token, "a/1", 1), 3.0, "select", str(token))


def test_older_finds_this_projects_earlier_tokens_only() -> None:
    listed = [running(1), running(2), running(3), running(1, "other")]
    marked: Any = SimpleNamespace(marked=SimpleNamespace(running=lambda: listed))
    unmarked: Any = SimpleNamespace(marked=None)

    assert older([unmarked, marked], "vfr", 3) == [(marked, running(1)), (marked, running(2))]


def test_wait_out_tells_once_and_stops_what_is_left_after_the_wait() -> None:
    clock, left = [0.0], [running(1), running(2)]
    told_of: list[str] = []
    stopped: list[tuple[float, str]] = []

    def cancel(each: Running) -> None:
        stopped.append((round(clock[0], 1), each.handle))
        left.remove(each)

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if clock[0] > 0.25 and running(1) in left:
            left.remove(running(1))  # ended by itself

    store: Any = SimpleNamespace(marked=SimpleNamespace(cancel=cancel))
    wait_out(
        lambda: [(store, each) for each in left],
        1.0,
        lambda _, each: told_of.append(each.handle),
        lambda: clock[0],
        sleep,
    )

    assert told_of == ["1", "2"]
    assert stopped == [(1.0, "2")] or stopped == [(1.1, "2")]


def test_wait_out_ends_an_idle_session_at_once_and_without_a_word() -> None:
    clock = [0.0]
    left = [running(1)._replace(idle=True), running(2)]
    told_of: list[str] = []
    stopped: list[tuple[float, str]] = []

    def cancel(each: Running) -> None:
        stopped.append((clock[0], each.handle))
        left.remove(each)

    def sleep(seconds: float) -> None:
        clock[0] += seconds
        if clock[0] > 0.25 and running(2) in left:
            left[:] = [running(2)._replace(idle=True)]  # its statement ended, and its session waits for the next

    store: Any = SimpleNamespace(marked=SimpleNamespace(cancel=cancel))
    wait_out(
        lambda: [(store, each) for each in left],
        600.0,
        lambda _, each: told_of.append(each.handle),
        lambda: clock[0],
        sleep,
    )

    assert (told_of, [handle for _, handle in stopped]) == (["2"], ["1", "2"])
    assert stopped[0][0] == 0.0
    assert clock[0] < 1


def test_wait_out_ends_with_the_run_lock() -> None:
    def lost() -> None:
        raise LeaseLost(asked_by="anna")

    with pytest.raises(LeaseLost):
        wait_out(
            lambda: [(by_statements(Outcome.DONE), Running(Mark("vfr", 1, "a/1"), 1.0, "select", "1"))],
            60,
            lambda *_: None,
            check=lost,
        )


def test_wait_out_gives_up_on_a_server_that_does_not_stop_a_statement() -> None:
    clock = [0.0]
    store: Any = SimpleNamespace(name="a", marked=SimpleNamespace(cancel=lambda _: None))

    with pytest.raises(ProvisionError) as caught:
        wait_out(
            lambda: [(store, running(1))],
            1.0,
            lambda *_: None,
            lambda: clock[0],
            lambda _: clock.__setitem__(0, clock[0] + 1),
        )

    assert caught.value.code == "still-running"
    assert caught.value.what == "a still works on a statement of an earlier run, and does not stop it"
    assert clock[0] == 31.0
