"""A move or a backfill in a thread of its own, and how it is asked to stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Generic, TypeVar

from provision.backfill.workers import StopEvent
from provision.core.execute import Coordinator
from provision.errors import Interrupted
from provision.threads import Waited

E = TypeVar("E")
R = TypeVar("R")
_BY = "the program that runs it"


class Stop:
    """Asks one move or backfill to end after the statement, or batch, in hand. May be used from any thread.

    Make a new one for each: what was requested stays so.
    """

    def __init__(self) -> None:
        self.event = StopEvent(_BY)
        self._lock = threading.Lock()
        self._boards: list[Coordinator] = []

    @property
    def requested(self) -> bool:
        return self.event.is_set()

    def request(self) -> None:
        """What is asked to end raises Interrupted; the same call again goes on where it stopped."""
        self.event.set()
        with self._lock:
            for board in self._boards:
                board.stop(Interrupted(_BY))

    def watch(self, board: Coordinator) -> None:
        """Called by a move with each board of its own."""
        with self._lock:
            self._boards.append(board)
            if self.requested:
                board.stop(Interrupted(_BY))

    def check(self) -> None:
        """Raises Interrupted once a stop is requested."""
        if self.requested:
            raise Interrupted(_BY)


class Run(Generic[E, R], Iterator[E]):
    """Something that goes on in a thread of its own: iterate over its events, then ask for its `report`.

    An event that nobody takes is kept; iterating ends when the run does, and never raises what went wrong: `report`
    does. As a context manager it is never left alone: leaving the block waits for the end and raises what went wrong,
    and an exception that leaves the block asks it to stop first. The thread keeps the program alive until it ends.
    """

    def __init__(self, work: Callable[[Callable[[E], None], Stop], R]) -> None:
        self._events: queue.SimpleQueue[tuple[E] | None] = queue.SimpleQueue()
        self._stop = Stop()
        self._result: tuple[R] | None = None
        self._error: BaseException | None = None
        self._thread = Waited(lambda: self._carry_out(work), "provision", daemon=False)
        try:
            self._thread.start()
        except BaseException:
            self._stop.request()  # nobody would hold what goes on in the thread, if it came to be
            raise

    def __next__(self) -> E:
        event = self._events.get()
        if event is None:
            self._events.put(None)  # for whoever asks again, or in another thread
            raise StopIteration
        return event[0]

    @property
    def running(self) -> bool:
        return not self._thread.done()

    def stop(self) -> None:
        """End after the statement, or batch, in hand; returns at once. `report` raises Interrupted then."""
        self._stop.request()

    def report(self) -> R:
        """Wait for the end, and return what was done. Raises what the run raised, each time that it is asked."""
        self._thread.done(None)
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result[0]

    def __enter__(self) -> Run[E, R]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            self.report()
            return
        self.stop()
        self._thread.done(None)
        if self._error is not None and self._error is not error:
            error.add_note(f"provision: the run that went on meanwhile ended with {self._error}")

    def _carry_out(self, work: Callable[[Callable[[E], None], Stop], R]) -> None:
        try:
            self._result = (work(lambda event: self._events.put((event,)), self._stop),)
        except BaseException as error:  # raised again by `report`, in the thread that asks
            self._error = error
        finally:
            self._events.put(None)
