"""Ctrl-C and SIGTERM while a backfill or a job of maintenance goes on."""

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
def stoppable(piece: str = "batch") -> Iterator[StopEvent]:
    """An event that Ctrl-C or SIGTERM sets: the piece in hand is finished; twice: now, the piece is rolled back."""
    stopped = StopEvent()

    def stop(number: int, _frame: FrameType | None) -> None:
        if stopped.is_set():
            os.write(2, f"stopped now; the {piece} in hand is rolled back\n".encode())
            os._exit(EXIT_FAILED)
        os.write(2, f"stopping after the {piece} in hand; once more stops now\n".encode())
        stopped.by = signal.Signals(number).name
        stopped.set()

    with handled(stop):
        yield stopped
