"""Plays many schedules, seed after seed, and prints those that break something."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

from tests.proof.invariants import all_checked
from tests.proof.machine.checks import CHECKS, Check, judge
from tests.proof.machine.play import FAULTS, Play
from tests.proof.machine.threads import stand_ins

SHOWN = 5  # failures that are printed whole
PART = 250  # schedules that a process plays before it tells


@dataclass(slots=True)
class Campaign:
    """What was played, and which seeds broke what."""

    schedules: int = 0
    seconds: float = 0.0
    steps: int = 0
    counted: Counter[str] = field(default_factory=Counter)
    broken: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def breaks(self, found: Mapping[int, list[tuple[str, str]]], tell: Callable[[str], None]) -> None:
        for number, broken in found.items():
            self.broken[number] = broken
            if len(self.broken) <= SHOWN:
                told = "; ".join(f"{name}: {words}" for name, words in broken)
                tell(f"seed {number}: {told}\n  again: python -m tests.proof --replay {number}")

    def add(self, part: Campaign, tell: Callable[[str], None]) -> None:
        """Count what another process played."""
        self.schedules += part.schedules
        self.steps += part.steps
        self.counted += part.counted
        self.breaks(part.broken, tell)

    def __str__(self) -> str:
        faults = ", ".join(f"{kind} {self.counted[kind]}" for kind in FAULTS)
        return (
            f"machine: {self.schedules} schedules, {self.steps} steps, {self.seconds:.1f} s; faults: {faults};"
            f" runs overtaken {self.counted['overtaken']}, landed late {self.counted['late']};"
            f" {f'{len(self.broken)} break something' if self.broken else 'nothing is broken'}"
        )


def play_one(seed: int) -> tuple[Play, list[tuple[str, str]]]:
    """Play one schedule. What a task raises is a defect too."""
    play = Play(seed)
    try:
        play.whole()
    except Exception as error:
        return play, [("defect", f"{type(error).__name__}: {error}")]
    return play, judge(play)


def campaign(
    schedules: int,
    seed: int,
    *,
    seconds: float = float("inf"),
    tell: Callable[[str], None] = print,
    checks: Mapping[str, Check] = CHECKS,
) -> Campaign:
    """Play so many schedules, for so many seconds at most. Raises NotChecked unless every invariant is looked at."""
    all_checked(checks)
    made, began = Campaign(), time.monotonic()
    with stand_ins():
        for number in range(seed, seed + schedules):
            if time.monotonic() - began > seconds:
                break
            play, broken = play_one(number)
            _count(made, play)
            if broken:
                made.breaks({number: broken}, tell)
    made.seconds = time.monotonic() - began
    return made


def side_by_side(
    schedules: int, seed: int, *, seconds: float = float("inf"), tell: Callable[[str], None] = print
) -> Campaign:
    """As `campaign`, by as many processes as there are processors."""
    made, began, end = Campaign(), time.monotonic(), seed + schedules
    with ProcessPoolExecutor() as pool:
        parts = [pool.submit(_quietly, first, min(PART, end - first)) for first in range(seed, end, PART)]
        try:
            for part in as_completed(parts, None if seconds == float("inf") else seconds):
                made.add(part.result(), tell)
        except TimeoutError:
            pool.shutdown(cancel_futures=True)
    made.seconds = time.monotonic() - began
    return made


def _quietly(seed: int, schedules: int) -> Campaign:
    return campaign(schedules, seed, tell=lambda _: None)


def _count(made: Campaign, play: Play) -> None:
    made.schedules += 1
    made.steps += play.scheduler.steps
    made.counted.update(kind for kind in FAULTS for line in play.log if line.endswith(f" it {kind}"))
    made.counted["overtaken"] += max(len(play.tokens) - 1, 0)
    made.counted["late"] += sum(each.late for server in play.servers.values() for each in server.landed)


def replay(seed: int) -> str:
    """What happened in a schedule, a line each, and what it broke."""
    with stand_ins():
        play, broken = play_one(seed)
    return "\n".join([*play.log, *(f"broken: {name}: {words}" for name, words in broken)])
