"""A move that goes on in a thread of its own, and how it is asked to stop."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

from provision.core.execute import Board
from provision.errors import Interrupted
from provision.model import Happening, Report


class Stop:
    """Asks a move to end after the statement in hand. May be used from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._boards: list[Board] = []
        self._requested = False

    def request(self) -> None:
        """The move raises FailedError (interrupted); the same move again goes on where it stopped."""
        with self._lock:
            self._requested = True
            for board in self._boards:
                board.stop(_STOPPED)

    def watch(self, board: Board) -> None:
        """Called by the move with each board of its own."""
        with self._lock:
            self._boards.append(board)
            if self._requested:
                board.stop(_STOPPED)


class Run(Iterator[Happening]):
    """The events of a move as they happen: Began, Done, Failure, Note. Ends when the move does.

    An event that nobody takes is kept. `report` waits for the end.
    """

    def __init__(self, move: Callable[[Callable[[Happening], None], Stop], Report]) -> None:
        self._events: queue.SimpleQueue[Happening | None] = queue.SimpleQueue()
        self._stop, self._ended = Stop(), False
        self._report: Report | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._carry_out, args=(move,), name="provision")
        self._thread.start()

    def __next__(self) -> Happening:
        event = None if self._ended else self._events.get()
        if event is None:
            self._ended = True
            raise StopIteration
        return event

    def stop(self) -> None:
        """End after the statement in hand."""
        self._stop.request()

    def report(self) -> Report:
        """Wait for the end, and return what was done. Raises what the move raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._report is not None
        return self._report

    def _carry_out(self, move: Callable[[Callable[[Happening], None], Stop], Report]) -> None:
        try:
            self._report = move(self._events.put, self._stop)
        except BaseException as error:  # raised again by `report`, in the thread that asks
            self._error = error
        finally:
            self._events.put(None)


_STOPPED = Interrupted("the program that runs it")
