"""Threads whose end can be waited for, whatever interrupts the wait."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

R = TypeVar("R")


class Late(Exception):
    """Raised when a call has not ended in the time that it was given; it goes on in its thread."""


def watched() -> bool:
    """Whether somebody else sees to it that this thread waits for no server that fell silent."""
    return getattr(threading.current_thread(), "watched", False)


class Waited(threading.Thread):
    """A thread that says itself when its work is done.

    `Thread.join` cannot be asked: before Python 3.13, one that Ctrl-C interrupts takes the thread for ended, and so
    does `is_alive` from then on.
    """

    def __init__(self, work: Callable[[], None], name: str, *, daemon: bool) -> None:
        super().__init__(name=name, daemon=daemon)
        self._work, self._came, self._done = work, threading.Event(), threading.Event()

    def run(self) -> None:
        self._came.set()
        try:
            self._work()
        finally:
            self._done.set()

    def came(self) -> bool:
        """Whether it began: one whose `start` was interrupted may be there all the same, a moment later."""
        return self._came.wait(1.0)

    def done(self, timeout: float | None = 0.0) -> bool:
        """Whether the work is done, waiting so many seconds for it; None waits for its end."""
        return self._done.wait(timeout)


class Call(Waited, Generic[R]):
    """A call that goes on in a thread of its own, from now on; whoever stops waiting leaves it there."""

    def __init__(self, work: Callable[[], R], name: str) -> None:
        super().__init__(self._keep, name, daemon=True)
        self._asked, self._returned, self._error = work, list[R](), list[BaseException]()
        self.start()

    def result(self, seconds: float | None = None) -> R:
        """What the call returns, or raises, waiting so many seconds for it; None waits for its end. Raises Late."""
        if not self.done(seconds):
            raise Late
        if self._error:
            raise self._error[0]
        return self._returned[0]

    def _keep(self) -> None:
        try:
            self._returned.append(self._asked())
        except BaseException as error:  # raised again by `result`, in the thread that asks
            self._error.append(error)
