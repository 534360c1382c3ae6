"""The workers of one process on one run, and the look-out that watches the server for them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from provision.capabilities.backfill.pace import Brake
from provision.capabilities.backfill.worker import Allowance, Shift, Worker
from provision.errors import LeaseLost, ProvisionError, unexpected
from provision.model.backfills import Backfill, BackfillRun, Seen
from provision.ports.batches import Batches, Work

LOOK_EVERY = 0.05  # seconds
TELL_EVERY = 0.5


@dataclass(frozen=True, slots=True)
class Orders:
    """How a process works on a run: threads, rows it may pass over, most rows a second (None: the document's)."""

    workers: int = 1
    skip_failed: int = 0
    rate: float | None = None
    patience: float = 60.0


@dataclass(frozen=True, slots=True)
class Post:
    """What a process needs to work on a run. `stopped` is set by Ctrl-C; `told` hears how far the run is."""

    backfill: Backfill
    batches: Batches
    check: Callable[[], None]
    stopped: threading.Event
    orders: Orders = field(default_factory=Orders)
    told: Callable[[BackfillRun], None] = field(default=lambda _: None)


class LookOut:
    """Looks at the server from a thread of its own, on a connection of its own."""

    def __init__(self, open_work: Callable[[], Work]) -> None:
        self._open, self._seen, self._longest = open_work, Seen(), 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="look-out", daemon=True)
        self._thread.start()

    def seen(self) -> Seen:
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
        while not self._ended.wait(LOOK_EVERY):
            try:
                work = work or self._open()
                self._seen = work.look()
                self._longest = max(self._longest, self._seen.wait_ms)
            except ProvisionError:
                # A server that went away is for the workers to say; the look-out waits for it as they do.
                if work is not None:
                    work.close()
                work, self._seen = None, Seen()
                self._ended.wait(1.0)
        if work is not None:
            work.close()


def work_through(post: Post, run: str) -> None:
    """Work on the run with all workers until nothing is free, it is no longer running, or a stop is asked for.

    Raises what ended a worker, the first one that did.
    """
    look_out = LookOut(lambda: post.batches.work(post.backfill))
    ended, errors = threading.Event(), list[ProvisionError]()
    shift = _shift(post, run, ended, look_out)

    def one() -> None:
        try:
            Worker(shift).go()
        except ProvisionError as error:
            errors.append(error)
            ended.set()
        except Exception as error:  # the thread's last line: nothing may end a worker unsaid
            errors.append(unexpected(error, str))
            ended.set()

    threads = [threading.Thread(target=one, name=f"worker {n}", daemon=True) for n in range(post.orders.workers)]
    for thread in threads:
        thread.start()
    try:
        _wait(threads, post, ended, run)
    finally:
        ended.set()
        for thread in threads:
            thread.join()
        look_out.close()
    if errors:
        raise next((error for error in errors if isinstance(error, LeaseLost)), errors[0])


def _shift(post: Post, run: str, ended: threading.Event, look_out: LookOut) -> Shift:
    rate = post.orders.rate if post.orders.rate is not None else post.backfill.rate
    return Shift(
        backfill=post.backfill,
        batches=post.batches,
        run=run,
        check=post.check,
        ended=ended,
        brake=Brake(rate, time.monotonic),
        allowance=Allowance(post.orders.skip_failed),
        seen=look_out.seen,
        longest_wait=look_out.longest_wait,
        patience=post.orders.patience,
    )


def _wait(threads: list[threading.Thread], post: Post, ended: threading.Event, run: str) -> None:
    told = time.monotonic()
    while any(thread.is_alive() for thread in threads):
        if post.stopped.wait(0.02):
            ended.set()
        for thread in threads:
            thread.join(0.05)
        if time.monotonic() - told >= TELL_EVERY:
            told = time.monotonic()
            try:
                post.told(whole(post, run))
            except ProvisionError:
                continue  # the workers say it better


def whole(post: Post, run: str) -> BackfillRun:
    """The run with its parts."""
    return next(each for each in post.batches.runs.read(post.backfill.name) if each.run == run)
