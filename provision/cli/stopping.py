"""Ctrl-C and SIGTERM while a backfill goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from provision.backfill.workers import StopEvent
from provision.cli.signals import handled
from provision.errors import EXIT_FAILED


@contextmanager
def stoppable() -> Iterator[StopEvent]:
    """An event that Ctrl-C or SIGTERM sets: the batch in hand is finished; twice: now, the batch is rolled back."""
    stopped = StopEvent()

    def stop(number: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            os.write(2, b"stopped now; the batch in hand is rolled back\n")
            os._exit(EXIT_FAILED)
        os.write(2, b"stopping after the batch in hand; once more stops now\n")
        stopped.by = signal.Signals(number).name
        stopped.set()

    with handled(stop):
        yield stopped
