"""Decides, by a seed, which task goes on; the clock stands still while one does. A seed plays the same again."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random

from greenlet import getcurrent, greenlet

from provision.testing.fake_store import Killed

STEPS = 200_000  # of one schedule at most
SECONDS = 3600.0


class Stuck(AssertionError):
    """Nobody can go on, or nobody comes to an end."""


class Process:
    """One run of `provision`: what it started dies, and stands still, with it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen_until = -math.inf


class Task:
    """What goes on by itself: a thread of a process, or the work of a server, which belongs to none."""

    def __init__(self, work: Callable[[], None], process: Process | None, hub: greenlet) -> None:
        self.process = process
        self.ready: Callable[[], bool] = lambda: True
        self.wake = -math.inf
        self._work = work
        self.line = greenlet(self._carry_out, parent=hub)

    @property
    def ended(self) -> bool:
        return bool(self.line.dead)

    def _carry_out(self) -> None:
        try:
            self._work()
        except Killed:
            return  # its process is gone

    def can_go_on(self, now: float) -> bool:
        if self.process is not None and not self.process.dead and now < self.process.frozen_until:
            return False
        return (self.process is not None and self.process.dead) or self.wake <= now or self.ready()

    def next_time(self) -> float:
        """When it can go on at the earliest, as far as time alone decides."""
        thaw = self.process.frozen_until if self.process is not None else -math.inf
        return thaw if self.ready() else max(self.wake, thaw)


class Scheduler:
    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self.steps = 0
        self._random, self._tasks = random, list[Task]()
        self._hub = getcurrent()
        self._current: Task | None = None

    @property
    def process(self) -> Process | None:
        """Whose turn it is."""
        return self._current.process if self._current is not None else None

    def spawn(self, work: Callable[[], None], process: Process | None) -> Task:
        made = Task(work, process, self._hub)
        self._tasks.append(made)
        return made

    def wait(self, ready: Callable[[], bool], seconds: float | None = None) -> bool:
        """Let others go on until `ready`, or for so many seconds; whether it is ready then. Raises Killed."""
        task = self._current
        assert task is not None, "only a task waits"
        task.ready = ready
        task.wake = math.inf if seconds is None else self.now + seconds
        if not (task.process is not None and task.process.dead):
            self._hub.switch()
        if task.process is not None and task.process.dead:
            raise Killed(task.process.name)
        return ready()

    def sleep(self, seconds: float) -> None:
        self.wait(lambda: False, seconds)

    def run(self) -> None:
        """Until every task has ended. Raises Stuck, and what a task raised."""
        try:
            self._go_on()
        except BaseException:
            self._end_all()
            raise

    def _go_on(self) -> None:
        while self._tasks:
            free = [task for task in self._tasks if task.can_go_on(self.now)]
            if not free:
                self._pass_time()
                continue
            self.steps += 1
            if self.steps > STEPS or self.now > SECONDS:
                raise Stuck(f"no end after {self.steps} steps and {self.now:.0f} s")
            self._switch(self._random.choice(free))

    def _switch(self, task: Task) -> None:
        self._current = task
        try:
            task.line.switch()
        finally:
            self._current = None
            if task.ended:
                self._tasks.remove(task)

    def _end_all(self) -> None:
        """Nothing may stay half-way: it would be ended at any time later, in the middle of another schedule."""
        while self._tasks:
            task = self._tasks[0]
            task.process = task.process or Process("ended")
            task.process.dead = True
            self._switch(task)

    def _pass_time(self) -> None:
        upcoming = min(task.next_time() for task in self._tasks)
        if upcoming == math.inf:
            raise Stuck(f"everybody waits for another at {self.now:.2f} s")
        self.now = upcoming
