"""Standard output and error that never are the reason why a run ends half-way."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TextIO


class Outlet(io.FileIO):
    """A descriptor whose writes do not fail; the first reason why one was lost is kept."""

    lost: OSError | None = None

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]  # typeshed names the buffer protocol of 3.12
        except OSError as error:
            self.lost = self.lost or error
            return memoryview(data).nbytes  # type: ignore[arg-type]  # as above


def text(descriptor: int, before: TextIO | None, outlet: Outlet | None = None) -> io.TextIOWrapper:
    """A text stream over the descriptor, in the encoding of the one before it."""
    raw = outlet or Outlet(descriptor, "w", closefd=False)
    encoding = getattr(before, "encoding", None) or "utf-8"
    # A terminal that knows no ✓ shows a question mark.
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="replace", line_buffering=raw.isatty())


class Waits:
    """Whoever waits for somebody else in a server says it here, from any thread; the command line prints it."""

    say: Callable[[str], None] = staticmethod(lambda _: None)


waits = Waits()
