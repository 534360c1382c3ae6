"""Breadth first through all states: the first one that breaks an invariant is one of the nearest."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern

from tests.proof.invariants import all_checked
from tests.proof.model.checks import CHECKS, Check
from tests.proof.model.run import run_steps
from tests.proof.model.state import Settings, State, first
from tests.proof.model.world import faults, server_steps, time_steps

Parents = dict[State, tuple[State, str] | None]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to; `broken` and `path` are empty where nothing is wrong."""

    settings: Settings
    states: int
    depth: int
    seconds: float
    broken: tuple[str, ...] = ()
    path: tuple[str, ...] = ()

    def __str__(self) -> str:
        size = f"{self.states} states, depth {self.depth}, {self.seconds:.1f} s"
        if not self.broken:
            return f"model {self.settings.name}: {size}: nothing is broken"
        told = "\n".join(f"  {number:2} {each}" for number, each in enumerate(self.path, 1))
        return f"model {self.settings.name}: {size}: {', '.join(self.broken)} is broken\n{told}"


def steps(state: State, settings: Settings) -> Iterator[tuple[str, State]]:
    """Everything that can happen next, and what it leads to."""
    for number in range(len(state.runs)):
        for told, after in run_steps(state, number, settings):
            yield f"run {number} {told}", after
    yield from server_steps(state, settings)
    yield from time_steps(state)
    yield from faults(state, settings)


def explore(settings: Settings, checks: Mapping[str, Check] = CHECKS) -> Found:
    """Look at every state that can be reached, until one breaks an invariant."""
    began, start = time.monotonic(), first(settings)
    parents: Parents = {start: None}
    layer, depth = [start], 0
    while layer:
        following = []
        for state in layer:
            for told, after in steps(state, settings):
                if after in parents:
                    continue
                parents[after] = (state, intern(told))
                broken = tuple(name for name, holds in checks.items() if not holds(after))
                if broken:
                    seconds = time.monotonic() - began
                    return Found(settings, len(parents), depth + 1, seconds, broken, _path(parents, after))
                following.append(after)
        layer = following
        depth += bool(layer)
    return Found(settings, len(parents), depth, time.monotonic() - began)


def prove(models: Iterable[Settings], checks: Mapping[str, Check] = CHECKS) -> Iterator[Found]:
    """Explore each model. Raises NotChecked, before anything, unless every invariant of the list is looked at."""
    all_checked(checks)
    return (explore(each, checks) for each in models)


def _path(parents: Parents, state: State) -> tuple[str, ...]:
    told = []
    while (before := parents[state]) is not None:
        state, what = before
        told.append(what)
    return tuple(reversed(told))
