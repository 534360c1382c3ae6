"""Stands in for threads, locks and sleeping in the core, so that the scheduler alone decides who goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace, TracebackType
from typing import Any
from unittest.mock import patch

from provision.core import execute, lease, resume, silence
from provision.flows import run_lock
from provision.model import Owner
from provision.threads import Waited
from tests.proof.machine.scheduler import Scheduler, Task


class _Turn:
    """The schedule that is being played."""

    scheduler: Scheduler
    taken: Callable[[lease.Lease], None]
    dead: Callable[[Owner], bool]


def play_in(scheduler: Scheduler, taken: Callable[[lease.Lease], None], dead: Callable[[Owner], bool]) -> None:
    """From now on the stand-ins belong to this schedule; `taken` hears of each run lock, `dead` knows who is gone."""
    _Turn.scheduler = scheduler
    _Turn.taken = staticmethod(taken)  # type: ignore[assignment]
    _Turn.dead = staticmethod(dead)  # type: ignore[assignment]


def _spawn(work: Callable[[], None]) -> Task:
    return _Turn.scheduler.spawn(work, _Turn.scheduler.process)


class Event:
    def __init__(self) -> None:
        self._set = False

    def is_set(self) -> bool:
        return self._set

    def set(self) -> None:
        self._set = True

    def wait(self, timeout: float | None = None) -> bool:
        return self._set or _Turn.scheduler.wait(self.is_set, timeout)


def _limit(timeout: float) -> float | None:
    return None if timeout < 0 else timeout


class Lock:
    def __init__(self) -> None:
        self._held = False

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        if self._held and (not blocking or not _Turn.scheduler.wait(lambda: not self._held, _limit(timeout))):
            return False
        self._held = True
        return True

    def release(self) -> None:
        self._held = False

    def __enter__(self) -> None:
        self.acquire()

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._held = False


class Condition:
    """Only one task goes on at a time, so that it need lock nothing."""

    def __init__(self) -> None:
        self._told = 0

    def __enter__(self) -> None:
        """Nothing to lock."""

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Nothing to unlock."""

    def notify_all(self) -> None:
        self._told += 1

    def wait(self, timeout: float | None = None) -> bool:
        before = self._told
        return _Turn.scheduler.wait(lambda: self._told != before, timeout)


class Thread:
    def __init__(self, target: Callable[[], None], name: str, daemon: bool) -> None:
        del name, daemon
        self._target = target

    def start(self) -> None:
        self._task = _spawn(self._target)

    def join(self, timeout: float | None = None) -> None:
        _Turn.scheduler.wait(lambda: self._task.ended, timeout)

    def is_alive(self) -> bool:
        return not self._task.ended


def _clock() -> float:
    return _Turn.scheduler.now


def _sleep(seconds: float) -> None:
    _Turn.scheduler.sleep(seconds)


@contextmanager
def stand_ins() -> Iterator[None]:
    """The core goes by the scheduler while the block runs."""
    acquired = partial(lease.acquire, clock=_clock)

    def acquire(*arguments: Any, **keywords: Any) -> lease.Lease:
        made = acquired(*arguments, **keywords)
        _Turn.taken(made)
        return made

    threads = SimpleNamespace(Lock=Lock, Event=Event, Thread=Thread, Condition=Condition)
    waited = SimpleNamespace(Event=Event, Thread=threading.Thread)
    with (
        patch.object(lease, "threading", threads),
        patch.object(execute, "threading", threads),
        patch("provision.threads.threading", waited),
        patch.object(Waited, "start", lambda self: setattr(self, "task", _spawn(self.run))),
        patch.object(lease, "acquire", acquire),
        patch.object(silence, "Silences", partial(silence.Silences, clock=_clock)),
        patch.object(run_lock, "time", SimpleNamespace(sleep=_sleep)),
        patch.object(run_lock, "dead", lambda owner: _Turn.dead(owner)),
        patch.object(resume, "wait_out", partial(resume.wait_out, clock=_clock, sleep=_sleep)),
    ):
        yield
