"""One start, stop or reset of an engine at a time, across processes and threads."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from provision.errors import FailedError

PATIENCE_S = 120.0


@contextmanager
def locked(path: Path, *, remove: bool = False, patience_s: float = PATIENCE_S) -> Iterator[int]:
    """Hold the lock file `path`, yielding its descriptor; with `remove`, delete it before it is let go.

    The kernel lets go of it when its holder dies. Raises FailedError after `patience_s` seconds, OSError when the
    file cannot be made.
    """
    descriptor = _acquire(path, time.monotonic() + patience_s)
    try:
        yield descriptor
        if remove:
            path.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _acquire(path: Path, deadline: float) -> int:
    pause = 0.002
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if _try_lock(descriptor) and _is_still(path, descriptor):
            return descriptor
        os.close(descriptor)
        if time.monotonic() > deadline:
            raise FailedError(
                "engine-busy",
                f"another process has been starting or stopping the engine for {PATIENCE_S:.0f} s",
                where=str(path),
                fix="end that process (`fuser` on the file names it), then run the same command again",
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 0.03)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_still(path: Path, descriptor: int) -> bool:
    """A reset deletes the file while others wait for it: a lock on the deleted file excludes nobody."""
    try:
        return os.path.samestat(os.stat(path), os.fstat(descriptor))
    except FileNotFoundError:
        return False
