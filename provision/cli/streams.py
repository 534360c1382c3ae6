"""The standard streams as a command needs them: there, and never the reason why a run ends half-way.

A reader that went away (`provision status | head -1`) is no error. Output that cannot be written for another reason,
such as a full disk, is said once at the end.
"""

from __future__ import annotations

import io
import os
import sys
from typing import TextIO

from provision.errors import EXIT_DONE, EXIT_FAILED


class _Kept(io.FileIO):
    """A descriptor whose writes do not fail; the first reason why one was lost is kept."""

    lost: OSError | None = None

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]  # typeshed names the buffer protocol of 3.12
        except OSError as error:
            self.lost = self.lost or error
            return memoryview(data).nbytes  # type: ignore[arg-type]  # as above


def prepare() -> _Kept:
    """Open what the caller closed, and put streams that keep their errors in the place of stdout and stderr."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: the next socket would take its number, and be written to
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (as long as the process)
    out = _Kept(1, "w", closefd=False)
    sys.stdout = _text(out, sys.stdout)
    sys.stderr = _text(_Kept(2, "w", closefd=False), sys.stderr)
    return out


def finish(out: _Kept, code: int) -> int:
    """Write what is left; the exit code, 5 where a run that went well could not say so."""
    sys.stdout.flush()
    if out.lost is None or isinstance(out.lost, BrokenPipeError):
        return code
    why = (out.lost.strerror or str(out.lost)).lower()
    print(f"error[output-lost]: the output could not be written: {why}", file=sys.stderr)
    print("  where  standard output\n  fix    free some space, or send the output elsewhere", file=sys.stderr)
    return EXIT_FAILED if code == EXIT_DONE else code


def _text(raw: _Kept, before: TextIO | None) -> io.TextIOWrapper:
    encoding = getattr(before, "encoding", None) or "utf-8"
    # A terminal that knows no ✓ shows a question mark.
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding, errors="replace", line_buffering=raw.isatty())
