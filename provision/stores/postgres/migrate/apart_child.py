"""The process of `apart`: started as a script, it answers one question from standard input on standard output."""

from __future__ import annotations

import os
import pickle
import sys


def answer() -> None:
    """Become a process like the one that asks, its import path first, and call the function."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what revision files print is no part of the answer
    path, function, arguments = pickle.load(sys.stdin.buffer)
    sys.path[:] = path
    import importlib

    from provision.errors import ProvisionError

    place, _, name = function.partition(":")
    try:
        found = (False, getattr(importlib.import_module(place), name)(*arguments))
    except ProvisionError as error:
        found = (True, error)
    pickle.dump(found, out)
    out.flush()
    # Not to wait for threads that an imported application started.
    os._exit(0)


if __name__ == "__main__":
    answer()
