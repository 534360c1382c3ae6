"""Hands what happens to the caller's listener, whatever that does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from provision.errors import Interrupted, ProvisionError
from provision.model import Began, Done
from provision.run import Stop

T = TypeVar("T")


def ignored(_event: object) -> None:
    """Listen to nothing."""


class Listening(Generic[T]):
    """Tells a listener one thing at a time, from whatever thread it happens in.

    A listener that raises is not called again, and the run ends as if a stop were requested: a run is never torn by it
    between a statement and its entry in the ledger. What it raised comes out of the call in the end.
    """

    def __init__(self, listener: Callable[[T], None], stop: Stop, hidden: Callable[[T], T]) -> None:
        self.stop = stop
        self._listener, self._hidden = listener, hidden
        self._turn = threading.RLock()
        self._raised: BaseException | None = None
        self._under_way: dict[str, None] = {}
        self._done: list[str] = []

    def __call__(self, event: T) -> None:
        with self._turn:
            self._keep(event)
            if self._raised is not None:
                return
            try:
                self._listener(self._hidden(event))
            except BaseException as error:  # raised again by `settled`, in the thread of the call
                self.raised(error)

    def raised(self, error: BaseException) -> None:
        """Remember the first thing that was raised by foreign code, and end the run."""
        self._raised = self._raised or error
        self.stop.request()

    @contextmanager
    def settled(self) -> Iterator[None]:
        """What foreign code raised leaves the block in the place of what that led to, with a note of what is done."""
        try:
            yield
        except ProvisionError as error:
            if self._raised is None:
                raise
            self._raised.add_note(self._note())
            led_to = isinstance(error, Interrupted) or error.code == "unexpected"
            raise self._raised from (None if led_to else error)
        except BaseException as error:
            error.add_note(self._note())
            raise
        if self._raised is not None:
            self._raised.add_note(self._note())
            raise self._raised

    def _keep(self, event: T) -> None:
        if isinstance(event, Began):
            self._under_way[event.step.id] = None
        elif isinstance(event, Done):
            self._under_way.pop(event.step.id, None)
            self._done.append(event.step.id)

    def _note(self) -> str:
        done = f"done in this run: {', '.join(self._done) or 'nothing'}"
        begun = f"; begun and not done: {', '.join(self._under_way)}" if self._under_way else ""
        return f"provision: {done}{begun}; the same call again goes on there"
