"""One round: disturb a run, let `up` follow, judge what it came to."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from dataclasses import dataclass
from enum import StrEnum

from provision.embedded import KINDS, process
from tests.chaos.ground import DOWN, UP, Ground, Ran


class End(StrEnum):
    """What a round came to."""

    AT_ONCE = "at once"  # the disturbed run had done everything, the next had nothing to do
    RESUMED = "resumed"  # the next run finished it
    DIRTY = "dirty"  # the next run stopped and named the statement
    FAILED = "FAILED"


@dataclass(frozen=True)
class Round:
    """`kind` names a row of the table; `point` is a boundary, or the engine to kill; `name` replays the round."""

    kind: str
    down: bool
    index: int
    point: str = ""

    @property
    def name(self) -> str:
        return f"{self.kind.replace(' ', '-')}/{self.index}"


@dataclass(frozen=True)
class Verdict:
    """How a round ended, in one line how the disturbed run did, and, unless all is well, everything that was seen."""

    round: Round
    end: End
    saw: str
    told: str = ""


@dataclass(frozen=True)
class Times:
    """How long undisturbed runs take, in seconds: the real program, and a fork of one warmed up."""

    up: float
    down: float
    up_forked: float
    down_forked: float


def play(ground: Ground, this: Round, seed: int, times: Times) -> Verdict:
    """Carry out one round; the ground is as after an undisturbed `up` when the verdict is not FAILED or dirty."""
    chance = random.Random(f"{seed}/{this.name}")
    if this.down and not ground.full:
        ground.fill()
    elif not this.down:
        ground.empty()
    ground.full = False
    disturbed = _disturbed(ground, this, chance, times)
    if disturbed.hung or disturbed.code not in (0, 4, 5, -signal.SIGKILL) or "Traceback" in disturbed.err:
        return Verdict(this, End.FAILED, disturbed.line(), f"{this.point} the disturbed run: {disturbed.told()}")
    after = ground.run(UP)
    saw = f"{disturbed.line()}; next {after.line()}"
    if after.code == 3 and after.error.get("code") == "dirty" and after.error.get("where"):
        return Verdict(this, End.DIRTY, saw, f"{this.point} {after.error['what']}; {after.error['where']}")
    faults = [after.told()] if after.code or after.hung else ground.faults()
    if faults:
        told = "\n".join((this.point, f"the disturbed run: {disturbed.told()}", *faults))
        return Verdict(this, End.FAILED, saw, told)
    ground.full = True
    return Verdict(this, End.RESUMED if after.document.get("applied") else End.AT_ONCE, saw)


def _disturbed(ground: Ground, this: Round, chance: random.Random, times: Times) -> Ran:
    command = DOWN if this.down else UP
    forked = times.down_forked if this.down else times.up_forked
    if this.kind.startswith("boundary"):
        return ground.run(command, trap=this.point)
    if this.kind.startswith("engine"):
        with _engine_killed(ground, this.point, chance.uniform(0, forked)):
            return ground.run(command)
    if this.kind.startswith("twice"):
        first = ground.run(command, kill_after=chance.uniform(0, forked))
        again = ground.run(UP, kill_after=chance.uniform(0, times.up_forked))
        return first if first.code not in (0, -signal.SIGKILL) else again
    return ground.run(command, kill_after=chance.uniform(0, times.down if this.down else times.up), bare=True)


class _engine_killed:
    """Kills an engine, by the pid its folder records, some seconds after the block began."""

    def __init__(self, ground: Ground, kind: str, delay: float) -> None:
        assert kind in KINDS
        self._folder, self._delay = ground.folder / ".provision" / kind, delay
        self._thread = threading.Thread(target=self._kill)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._thread.join()

    def _kill(self) -> None:
        time.sleep(self._delay)
        running = process.running(self._folder)
        if running is not None:
            os.kill(running.pid, signal.SIGKILL)
