"""Revisions rendered by a second process, so that this one parses what is rendered already.

The process is forked: it imports nothing anew, and what env.py and the revisions do to their process ends with it.
"""

from __future__ import annotations

import gc
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

WORTH = 50  # revisions: below that the second process costs more than it brings
_TOGETHER = 20  # what is sent at once
_END = "end"


def possible() -> bool:
    """Whether this process may be forked: another thread might hold a lock that nobody would let go in the copy."""
    return sys.platform == "linux" and threading.active_count() == 1 and (os.cpu_count() or 1) > 1


def apart(work: Callable[[Callable[[Any], None]], None]) -> Iterator[Any]:
    """What `work` hands to its argument, in order, as it comes.

    Ends early where the other process does: what env.py does to its process, it does to that one.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _work(work, writing)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as stream:
            yield from _received(stream)
    finally:
        os.kill(child, signal.SIGKILL)  # it is no longer there, or nobody waits for what it does
        os.waitpid(child, 0)


def _received(stream: BinaryIO) -> Iterator[Any]:
    while True:
        try:
            some = pickle.load(stream)
        except (EOFError, pickle.UnpicklingError):
            return
        if some == _END:
            return
        yield from some


def _work(work: Callable[[Callable[[Any], None]], None], writing: int) -> None:
    """In the other process, which ends here: nothing of this one's is closed or flushed a second time."""
    code = 1
    try:
        gc.disable()  # it does not live long
        with os.fdopen(writing, "wb") as stream:
            waiting: list[Any] = []

            def send(one: Any) -> None:
                waiting.append(one)
                if len(waiting) >= _TOGETHER:
                    pickle.dump(list(waiting), stream)
                    stream.flush()
                    waiting.clear()

            work(send)
            pickle.dump(waiting, stream)
            pickle.dump(_END, stream)
        sys.stdout.flush()
        sys.stderr.flush()
        code = 0
    finally:
        os._exit(code)
