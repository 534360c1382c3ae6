"""One round: disturb a run, let `up` follow, judge what it came to."""

from __future__ import annotations

import random
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.ground import DOWN, UP, Ground, Ran
from tests.chaos.silence import silence


class End(StrEnum):
    """What a round came to."""

    AT_ONCE = "at once"  # the disturbed run had done everything, the next had nothing to do
    RESUMED = "resumed"  # the next run finished it
    DIRTY = "dirty"  # the next run stopped and named the statement
    FAILED = "FAILED"


@dataclass(frozen=True)
class Round:
    """`kind` is a row of the table; `point` is a boundary, or the store to kill or silence; `name` replays the round.

    An engine is killed and comes back with the next command, or, as `restart`, while the run goes on.
    """

    kind: str
    down: bool
    index: int
    point: str = ""

    @property
    def engine(self) -> str:
        """The engine to kill, empty when the run is to be killed."""
        return self.point if self.kind.startswith(("engine", "restart")) else ""

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
    """Seconds that an undisturbed run takes to reach the stores, and then to work on them, upwards and downwards."""

    start: float
    up: float
    down: float


Clocks = Mapping[bool, Times]  # True: the real program

ENDS = (0, 4, 5, -signal.SIGKILL)  # of a run that is disturbed
SECOND = (*ENDS, 3, 6)  # of one beside it: it may have found a statement in flight, or the lock held
EARLY = 0.15  # the share of random instants that lie before the run has reached its stores
BARE = 5  # every fifth is of the real program, the others of a fork of one that has imported everything


def play(ground: Ground, this: Round, seed: int, clocks: Clocks) -> Verdict:
    """Carry out one round; the ground is as after an undisturbed `up` when the verdict is not FAILED or dirty."""
    chance = random.Random(f"{seed}/{this.name}")
    if this.down and not ground.full:
        ground.fill()
    elif not this.down:
        ground.empty()
    ground.full = False
    disturbed, second, story = _disturbed(ground, this, chance, clocks)
    for ran, codes in ((disturbed, ENDS), (second, SECOND)):
        if ran is not None and (ran.hung or ran.code not in codes or "Traceback" in ran.err):
            return Verdict(this, End.FAILED, ran.line(), f"{this.point} {story} the disturbed run: {ran.told()}")
    after = ground.run(UP)
    saw = "; ".join(
        each
        for each in (story, disturbed.line(), f"second {second.line()}" if second else "", f"next {after.line()}")
        if each
    )
    if after.code == 3 and after.error.get("code") == "dirty" and after.error.get("where"):
        if illegal := ground.illegal():
            return Verdict(this, End.FAILED, saw, "\n".join((this.point, *illegal)))
        return Verdict(this, End.DIRTY, saw, f"{this.point} {after.error['what']}; {after.error['where']}")
    # Where the engine is back, a run can say that it failed.
    lived = second is not None or this.kind.startswith("restart")
    faults = [after.told()] if after.code or after.hung else ground.faults(lived=lived)
    if faults:
        others = [f"the second run: {second.told()}"] if second else []
        told = "\n".join((this.point, story, *faults, f"the disturbed run: {disturbed.told()}", *others))
        return Verdict(this, End.FAILED, saw, told)
    ground.full = True
    return Verdict(this, End.RESUMED if after.document.get("applied") else End.AT_ONCE, saw)


def _disturbed(ground: Ground, this: Round, chance: random.Random, clocks: Clocks) -> tuple[Ran, Ran | None, str]:
    """How the disturbed run ended, and one that was started beside it, and what was done to both."""
    if this.kind.startswith("silent"):
        times = clocks[False]
        done = silence(ground, DOWN if this.down else UP, this.point, chance, times.down if this.down else times.up)
        return done.first, done.second, done.story
    return _killed(ground, this, chance, clocks), None, ""


def _killed(ground: Ground, this: Round, chance: random.Random, clocks: Clocks) -> Ran:
    command = DOWN if this.down else UP
    if this.kind.startswith("boundary"):
        return ground.run(command, trap=this.point)
    bare = this.index % BARE == 0
    times = clocks[bare]
    work = times.down if this.down else times.up
    if this.kind.startswith("twice"):
        first = ground.run(command, kill_after=chance.uniform(0, work), bare=bare)
        again = ground.run(UP, kill_after=chance.uniform(0, times.up), bare=bare)
        return first if first.code not in (0, -signal.SIGKILL) else again
    early = chance.random() < EARLY
    instant = chance.uniform(0, times.start if early else work)
    again = this.kind.startswith("restart")
    return ground.run(command, kill_after=instant, kill_early=early, engine_of=this.engine, again=again, bare=bare)
