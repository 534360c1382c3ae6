"""A time that one process sets and another one reads at no cost."""

from __future__ import annotations

import mmap
import struct
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

_TIME = struct.Struct("=d")


class Until:
    """A monotonic time in shared memory: both processes run on one machine, whose monotonic clock they share."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._memory = mmap.mmap(descriptor, _TIME.size)

    @classmethod
    @contextmanager
    def made(cls) -> Iterator[Until]:
        """A new one, in the past until it is set."""
        with tempfile.TemporaryFile() as file:
            file.write(_TIME.pack(float("-inf")))
            file.flush()
            yield cls(file.fileno())

    def set(self, time: float) -> None:
        self._memory[:] = _TIME.pack(time)

    def get(self) -> float:
        found: float = _TIME.unpack(self._memory[:])[0]
        return found
