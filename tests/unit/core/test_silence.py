"""What is given up when servers fall silent; the clock is passed in, looks answer or not as the test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from provision.core.silence import ANSWER, Silences
from provision.errors import UnreachableError

LEASE = 30.0


class World:
    """A home store `a` and another store `b`; `mute` ones do not answer a look."""

    def __init__(self) -> None:
        self.now, self.mute, self.unanswered, self.hurried = 100.0, set[str](), False, False
        self.looks: list[str] = []
        self.over, self.others = threading.Event(), set(threading.enumerate())
        self.at_work = {"a": 1, "b": 1}
        names = {name: lambda name=name: self._look(name) for name in ("a", "b")}
        self.silences = Silences(names, "a", LEASE, lambda: self.unanswered, lambda: self.now)

    def _look(self, name: str) -> None:
        self.looks.append(name)
        if name in self.mute:
            self.others.add(threading.current_thread())
            self.over.wait(60)
        raise UnreachableError("unreachable", "too many clients already")

    def given_up(self) -> dict[str, str]:
        in_hand = {name: f"{name}/0001" for name in self.at_work}
        found = self.silences.given_up(in_hand, self.hurried)
        return {name: f"{error.code}: {error.what} ({error.where})" for name, error in found.items()}

    def pass_by(self, seconds: float, step: float = 0.5) -> float:
        """Let time go by until somebody is given up, at most `seconds`; how long that took."""
        began = self.now
        while self.now < began + seconds and not self.given_up():
            self.now += step
            self.silences.tick(self.at_work, self.hurried)
            for look in set(threading.enumerate()) - self.others:
                look.join(0.003)
        return self.now - began


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.over.set()


def test_long_statement_of_a_server_that_answers_is_waited_for(world: World) -> None:
    assert world.pass_by(600) == 600
    assert world.given_up() == {}
    assert world.looks.count("b") > 10


def test_lanes_that_go_on_are_not_looked_at(world: World) -> None:
    for _ in range(100):
        world.at_work["a"] += 1
        world.at_work["b"] += 1
        world.pass_by(5)
    assert world.looks == []


def test_silent_store_is_given_up_when_the_lock_has_lived(world: World) -> None:
    world.mute.add("b")
    assert LEASE <= world.pass_by(600) <= LEASE + ANSWER
    assert world.given_up() == {"b": "server-lost: b fell silent: no answer for 30 s (b/0001)"}


def test_store_that_answers_again_is_not_given_up(world: World) -> None:
    world.mute.add("b")
    world.pass_by(LEASE - 5)
    world.mute.clear()
    assert world.pass_by(300) == 300


def test_silent_home_store_ends_all_of_it(world: World) -> None:
    world.unanswered = True  # from the moment on that the lock has run out
    assert world.pass_by(600) <= LEASE * 0.1 + 1
    lost = "home-silent: the home store fell silent: no answer for 30 s, and without it the run lock is lost"
    assert world.given_up() == dict.fromkeys(("a", "b"), f"{lost} (a/0001; b/0001)")


def test_run_that_was_frozen_gives_the_home_store_time_to_answer(world: World) -> None:
    world.unanswered = True
    world.pass_by(1000, step=1000)
    assert world.given_up() == {}
    world.unanswered = False
    assert world.pass_by(60) == 60


@pytest.mark.parametrize("name", ["a", "b"])
def test_run_that_is_to_end_does_not_wait_for_a_silent_store(world: World, name: str) -> None:
    world.mute.add(name)
    world.hurried = True
    assert world.pass_by(600) <= ANSWER + 1
    assert list(world.given_up()) == [name]
