"""Threads whose end can be waited for, whatever interrupts the wait."""

from __future__ import annotations

import threading
from collections.abc import Callable


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
