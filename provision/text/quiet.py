"""Keeps what foreign code prints off standard output, without touching what the other threads of the process print."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast
from weakref import WeakSet

_TURN = threading.Lock()
_QUIET: list[threading.Thread] = []
"""The threads whose prints go to standard error now; one that asked twice is there twice."""
_installed: _ByThread | None = None


class _ByThread:
    """Stands in the place of `sys.stdout` while any thread is quiet.

    Threads that were there before print where they always did. What a new one prints is taken for the foreign code's,
    which may have started it.
    """

    def __init__(self, before: TextIO) -> None:
        self.before = before
        self._others = WeakSet(threading.enumerate())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._of_this_thread(), name)

    def _of_this_thread(self) -> TextIO:
        this = threading.current_thread()
        if not _QUIET or (this in self._others and this not in _QUIET):
            return self.before
        return sys.stderr if sys.stderr is not None else _NOWHERE


@contextmanager
def quiet() -> Iterator[None]:
    """While the block runs, what this thread prints goes to standard error."""
    this = threading.current_thread()
    _enter(this)
    try:
        yield
    finally:
        _leave(this)


def _enter(this: threading.Thread) -> None:
    global _installed
    with _TURN:
        _QUIET.append(this)
        if _installed is None and sys.stdout is not None:
            _installed = _ByThread(sys.stdout)
            sys.stdout = cast(TextIO, _installed)


def _leave(this: threading.Thread) -> None:
    global _installed
    with _TURN:
        _QUIET.remove(this)
        if _QUIET or _installed is None:
            return
        if sys.stdout is cast(TextIO, _installed):  # else somebody put another one there, and keeps ours for later
            sys.stdout = _installed.before
        _installed = None


class _Nowhere(io.TextIOBase):
    """Takes what a program without a standard error prints."""

    def write(self, text: str, /) -> int:
        return len(text)


_NOWHERE = cast(TextIO, _Nowhere())
