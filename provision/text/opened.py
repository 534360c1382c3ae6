"""Which files and folders this process looks into: so that what was made of them is known to be of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import source_from_cache
from typing import Any

_WRITES = os.O_WRONLY | os.O_RDWR
_LISTS = frozenset(("os.listdir", "os.scandir"))
_watching: list[set[str]] = []
_hooked: list[bool] = []


@contextmanager
def opened() -> Iterator[set[str]]:
    """Absolute paths of the files that are opened for reading, and of the folders that are listed, meanwhile.

    A module that Python has compiled before counts as its source. Of what is only asked for (`os.path.exists`) nothing
    is seen.
    """
    if not _hooked:
        sys.addaudithook(_hook)  # it cannot be taken away again
        _hooked.append(True)
    seen: set[str] = set()
    _watching.append(seen)
    try:
        yield seen
    finally:
        _watching.remove(seen)


def _hook(event: str, arguments: Sequence[Any]) -> None:
    if not _watching:
        return
    if event == "open":
        path, mode, flags = arguments
        if isinstance(path, str | bytes | os.PathLike) and not _written(mode, flags):
            _see(path)
    elif event in _LISTS and isinstance(arguments[0], str | bytes | os.PathLike | None):
        _see(arguments[0] or ".")


def _written(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(sign in mode for sign in "wax+")
    return isinstance(flags, int) and bool(flags & _WRITES)


def _see(path: Any) -> None:
    name = os.path.abspath(os.fsdecode(path))
    if name.endswith(".pyc"):
        with suppress(ValueError):  # it lies beside no source
            name = source_from_cache(name)
    for each in _watching:
        each.add(name)
