"""The workers of one process on one run, and the look-out that watches the server for them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from provision.backfill.pace import Brake
from provision.backfill.tally import BatchTally
from provision.backfill.worker import Allowance, Worker, WorkerContext
from provision.errors import LeaseLost, ProvisionError, UnreachableError, unexpected
from provision.model.backfills import Backfill, BackfillRun, ServerSignal
from provision.ports.backfill import Batches, Work
from provision.threads import Waited

LOOK_EVERY = 0.05  # seconds
FIRST_LOOK = 2.0  # the most that the first batch waits for it
BLIND = 1.0  # after a look that failed
TELL_EVERY = 0.5
LATELY = timedelta(seconds=3)


@dataclass(frozen=True, slots=True)
class WorkerOptions:
    """How a process works on a run: threads, rows it may pass over, most rows a second (None: the document's)."""

    workers: int = 1
    skip_failed: int = 0
    rate: float | None = None
    patience: float = 60.0


class StopEvent(threading.Event):
    """Asks a process to stop working on a run after the batch in hand; `by` says who asked, for people."""

    def __init__(self, by: str = "SIGINT") -> None:
        super().__init__()
        self.by = by


@dataclass(frozen=True, slots=True)
class RunContext:
    """What a process needs to work on a run. `stopped` is set to end it; `told` hears how far the run is."""

    backfill: Backfill
    batches: Batches
    check: Callable[[], None]
    stopped: StopEvent
    orders: WorkerOptions = field(default_factory=WorkerOptions)
    told: Callable[[BackfillRun], None] = field(default=lambda _: None)
    turns: int | None = None  # see WorkerContext
    tally: BatchTally = field(default_factory=BatchTally)
    paused: Callable[[BackfillRun], None] = field(default=lambda _: None)


class ServerMonitor:
    """Looks at the server from a thread of its own, on a connection of its own; `failed` hears what ends the run."""

    def __init__(self, open_work: Callable[[], Work], failed: Callable[[ProvisionError], None]) -> None:
        self._open, self._failed, self._seen, self._longest = open_work, failed, ServerSignal(), 0
        self._ended, self._looked = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._watch, name="look-out", daemon=True)
        self._thread.start()

    def seen(self) -> ServerSignal:
        """The newest look; waits for the first, before which no batch should begin."""
        self._looked.wait(FIRST_LOOK)
        return self._seen

    def longest_wait(self) -> int:
        """The longest wait for our locks, in ms, since it was last asked for."""
        longest, self._longest = self._longest, 0
        return longest

    def close(self) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        work: Work | None = None
        while not self._ended.is_set():
            pause = LOOK_EVERY
            try:
                work = work or self._open()
                self._seen = work.look()
                self._longest = max(self._longest, self._seen.wait_ms)
            except Exception as error:  # whatever it is: a run must not go on with nobody looking, unsaid
                self._seen, pause = self._unseen(error), BLIND
                if work is not None:
                    work.close()
                work = None
            self._looked.set()
            self._ended.wait(pause)
        if work is not None:
            work.close()

    def _unseen(self, error: Exception) -> ServerSignal:
        """What a look that failed comes to. A server that went away is for the workers to say: they wait for it."""
        if isinstance(error, UnreachableError):
            return ServerSignal()
        if isinstance(error, ProvisionError) and error.code != "bad-yield":
            return ServerSignal(f"nothing: the look-out cannot look: {error.what}")
        self._failed(error if isinstance(error, ProvisionError) else unexpected(error, str))
        return ServerSignal()


def work_through(post: RunContext, run: str) -> None:
    """Work on the run with all workers until nothing is free, it is no longer running, or a stop is asked for.

    Raises what ended a worker, the first one that did.
    """
    ended, errors = threading.Event(), list[ProvisionError]()

    def failed(error: ProvisionError) -> None:
        errors.append(error)
        ended.set()

    look_out = ServerMonitor(lambda: post.batches.work(post.backfill), failed)
    shift = _shift(post, run, ended, look_out)

    def one() -> None:
        try:
            Worker(shift).go()
        except ProvisionError as error:
            failed(error)
        except Exception as error:  # the thread's last line: nothing may end a worker unsaid
            failed(unexpected(error, str))

    threads = [Waited(one, f"worker {n}", daemon=True) for n in range(post.orders.workers)]
    try:
        for thread in threads:
            thread.start()
        _wait(threads, post, ended, run, shift.brake)
    finally:
        ended.set()
        for thread in threads:
            if thread.came():
                thread.done(None)
        look_out.close()
    if errors:
        raise next((error for error in errors if isinstance(error, LeaseLost)), errors[0])


def _shift(post: RunContext, run: str, ended: threading.Event, look_out: ServerMonitor) -> WorkerContext:
    rate = post.orders.rate if post.orders.rate is not None else post.backfill.rate
    return WorkerContext(
        backfill=post.backfill,
        batches=post.batches,
        run=run,
        check=post.check,
        ended=ended,
        brake=Brake(rate, time.monotonic),
        allowance=Allowance(post.orders.skip_failed or (math.inf if post.backfill.on_error == "skip" else 0)),
        stop_at_once=post.backfill.on_error == "stop" and not post.orders.skip_failed,
        seen=look_out.seen,
        longest_wait=look_out.longest_wait,
        patience=post.orders.patience,
        turns=post.turns,
        tally=post.tally,
    )


def _wait(threads: list[Waited], post: RunContext, ended: threading.Event, run: str, brake: Brake) -> None:
    told, crew = time.monotonic(), Crew()
    while not all(thread.done() for thread in threads):
        if post.stopped.wait(0.02):
            ended.set()
        for thread in threads:
            thread.done(0.05)
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            try:
                found = whole(post, run)
            except ProvisionError:
                continue  # the workers say it better
            brake.share = post.orders.workers / max(crew.count(found), post.orders.workers)
            post.told(found)


class Crew:
    """Who works on a run, in whatever process: two may take turns at one part, which names the last of them alone."""

    def __init__(self) -> None:
        self._seen: dict[str, datetime] = {}

    def count(self, run: BackfillRun) -> int:
        """How many filled rows in the last seconds of the store's clock, of those that were ever seen at it."""
        for part in run.parts:
            if part.worker and part.touched_at is not None and part.rate:
                self._seen[part.worker] = max(part.touched_at, self._seen.get(part.worker, part.touched_at))
        newest = max(self._seen.values(), default=None)
        return sum(1 for at in self._seen.values() if newest is not None and newest - at < LATELY)


def whole(post: RunContext, run: str) -> BackfillRun:
    """The run with its parts. Raises FailedError (run-gone) for one that is not in the log any more."""
    found = [each for each in post.batches.runs.read(post.backfill.name) if each.run == run]
    return found[0] if found else post.batches.runs.peek(run)
