"""A circuit: after some failures in a row a server is left alone for a while, then asked once, then used again."""

import time
from collections.abc import Callable


class Circuit:
    """Closed at first. `failures` in a row open it for `pause` seconds; the first call after that is the trial.

    A trial that fails opens it for another pause, one that succeeds closes it. `clock` gives seconds, never back.
    """

    def __init__(self, failures: int = 3, pause: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit, self._pause, self._clock = failures, pause, clock
        self._failed = 0
        self._next_trial = 0.0

    @property
    def is_open(self) -> bool:
        """True while the server is left alone."""
        return self._failed >= self._limit

    def allows(self) -> bool:
        """Whether to ask the server now. Of the callers after a pause one is told to try, the others to go without."""
        if not self.is_open:
            return True
        now = self._clock()
        if now < self._next_trial:
            return False
        self._next_trial = now + self._pause
        return True

    def succeeded(self) -> None:
        self._failed = 0

    def failed(self) -> None:
        self._failed += 1
        self._next_trial = self._clock() + self._pause
