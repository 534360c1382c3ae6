"""Times of one question, asked again and again."""

from __future__ import annotations

import time
from collections.abc import Callable


def times(ask: Callable[[], object], runs: int, stop_at: float) -> list[float]:
    """Milliseconds of each run. The first, which connects and fills caches, is not counted.

    After `stop_at`, a moment of `time.monotonic`, no further run begins; one is always made.
    """
    ask()
    found: list[float] = []
    while len(found) < runs and (not found or time.monotonic() < stop_at):
        begun = time.perf_counter()
        ask()
        found.append((time.perf_counter() - begun) * 1000)
    return found
