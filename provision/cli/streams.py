"""The standard streams as a command needs them: there, and never the reason why a run ends half-way.

A reader that went away (`provision status | head -1`) is no error. Output that cannot be written for another reason,
such as a full disk, is said once at the end.
"""

from __future__ import annotations

import os
import sys

from provision.errors import EXIT_DONE, EXIT_FAILED
from provision.outlet import Outlet, text


def prepare() -> Outlet:
    """Open what the caller closed, and put streams that keep their errors in the place of stdout and stderr."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # closed: the next socket would take its number, and be written to
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 (as long as the process)
    out = Outlet(1, "w", closefd=False)
    sys.stdout = text(1, sys.stdout, out)
    sys.stderr = text(2, sys.stderr)
    return out


def finish(out: Outlet, code: int) -> int:
    """Write what is left; the exit code, 5 where a run that went well could not say so."""
    sys.stdout.flush()
    if out.lost is None or isinstance(out.lost, BrokenPipeError):
        return code
    why = (out.lost.strerror or str(out.lost)).lower()
    print(f"error[output-lost]: the output could not be written: {why}", file=sys.stderr)
    print("  where  standard output\n  fix    free some space, or send the output elsewhere", file=sys.stderr)
    return EXIT_FAILED if code == EXIT_DONE else code
