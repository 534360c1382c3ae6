"""Ends a run in-process at a chosen point, as SIGKILL would: nothing after it is sent, nothing is given back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import pytest

from provision.core.execute import Coordinator, EventNumbering, LaneJournal
from provision.core.lease import Lease
from provision.testing.fake_store import Killed

CORE_POINTS: tuple[tuple[type, str], ...] = ((EventNumbering, "event"), (LaneJournal, "check"), (Coordinator, "add"))


class Killer:
    """Counts the passages before and after the given methods; `passed` is how many the last run made."""

    def __init__(self, patch: pytest.MonkeyPatch, points: tuple[tuple[type, str], ...]) -> None:
        self._turn = threading.Lock()
        self._at: int | None = None
        self._armed = False
        self._boards: list[Coordinator] = []
        self.passed = 0
        self.dead = False
        self.where = ""
        for owner, name in (*CORE_POINTS, *points):
            after = (owner, name) in points  # nothing reaches a server between a core point and the next one
            patch.setattr(owner, name, self._guarded(getattr(owner, name), f"{owner.__name__}.{name}", after))
        patch.setattr(Coordinator, "__init__", self._known(Coordinator.__init__))
        patch.setattr(Lease, "release", self._abandoning(Lease.release))
        patch.setattr(threading, "excepthook", _quiet(threading.excepthook))

    @contextmanager
    def run(self, at: int | None) -> Iterator[None]:
        """The block is one process; it ends at passage `at`, counted from 0, if it gets so far."""
        self._at, self.passed, self.dead, self.where, self._armed = at, 0, False, "", True
        self._boards.clear()
        try:
            yield
        except Killed:
            assert self.dead
        finally:
            self._armed = False

    def _pass(self, where: str) -> None:
        with self._turn:
            if not self._armed:
                return
            if self.passed == self._at:
                self.dead, self.where = True, where
            self.passed += 1
            if self.dead:
                for board in self._boards:
                    board.stop(RuntimeError("killed"))  # lanes that wait die with the others
                raise Killed(where)

    def _guarded(self, method: Callable[..., Any], name: str, after: bool) -> Callable[..., Any]:
        @wraps(method)
        def guarded(*arguments: Any, **keywords: Any) -> Any:
            self._pass(f"before {name}")
            result = method(*arguments, **keywords)
            if after:
                self._pass(f"after {name}")
            return result

        return guarded

    def _known(self, made: Callable[[Coordinator, int], None]) -> Callable[[Coordinator, int], None]:
        @wraps(made)
        def known(board: Coordinator, lanes: int) -> None:
            made(board, lanes)
            self._boards.append(board)

        return known

    def _abandoning(self, release: Callable[[Lease], None]) -> Callable[[Lease], None]:
        """A dead process gives no lease back; only its heartbeat ends."""

        @wraps(release)
        def abandoned(lease: Lease) -> None:
            if not (self._armed and self.dead):
                return release(lease)
            lease._ended.set()
            lease._beat.join()
            raise Killed(self.where)

        return abandoned


def _quiet(hook: Callable[[threading.ExceptHookArgs], Any]) -> Callable[[threading.ExceptHookArgs], None]:
    def quiet(told: threading.ExceptHookArgs) -> None:
        if not isinstance(told.exc_value, Killed):
            hook(told)

    return quiet
