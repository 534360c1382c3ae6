"""One worker of a run: batch after batch, giving way, splitting what fails, waiting for a server that went away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from provision.backfill.pace import BatchSize, Brake, Speed
from provision.errors import BatchFailed, BatchInTheWay, FailedError, UnreachableError
from provision.model.backfills import Backfill, BackfillRun, Filled, Pace, RunState, ServerSignal
from provision.ports.backfill import Batches, Work

BACKOFF, LONGEST_BACKOFF = 0.1, 5.0  # seconds
LONGEST_WAIT = 1.0


def turns(run: BackfillRun) -> int:
    """How often the rate of the run was changed while it ran."""
    found = run.asked.get("turns", 0)
    return found if isinstance(found, int) else 0


class Allowance:
    """How many rows may be passed over, by all workers of this process together."""

    def __init__(self, rows: int) -> None:
        self._rows, self._turn = rows, threading.Lock()

    def take(self) -> bool:
        with self._turn:
            self._rows -= 1
            return self._rows >= 0


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What the workers of a process share. `check` raises LeaseLost; `patience`: seconds a server may be gone."""

    backfill: Backfill
    batches: Batches
    run: str
    check: Callable[[], None]
    ended: threading.Event  # no further batch
    brake: Brake
    allowance: Allowance
    seen: Callable[[], ServerSignal]  # the newest look at the server
    longest_wait: Callable[[], int]  # for our locks since it was last asked for, in ms
    patience: float = 60.0
    turns: int | None = None  # changes of the rate before this process was given its own; None: it was not
    clock: Callable[[], float] = field(default=time.monotonic)


class Worker:
    """Works until nothing is free, the run is no longer running, or `ended` is set."""

    def __init__(self, shift: WorkerContext) -> None:
        self._shift = shift
        self._size = BatchSize(shift.backfill.size, shift.backfill.target)
        self._speed = Speed(shift.clock)
        self._most: int | None = None  # rows at once while a row that fails is looked for
        self._work: Work | None = None
        self._in_the_way = 0
        self._lost_at: float | None = None
        self._noted = ""
        self._reason = ""

    def go(self) -> None:
        """Raises what ends the run: BatchFailed, FailedError, LeaseLost."""
        try:
            while not self._shift.ended.is_set():
                if not self._once():
                    return
        finally:
            self._close()

    def _once(self) -> bool:
        try:
            self._shift.check()
            run = self._shift.batches.runs.peek(self._shift.run)
            if run.state is not RunState.RUNNING:
                return False
            self._obey(run)
            rows = self._shift.brake.most(min(self._size.rows, self._most or self._size.rows))
            if self._had_to_wait() or self._braked(rows):
                return True
            filled = self._fill(rows)
        except UnreachableError as error:
            self._wait_for_server(error)
            return True
        self._lost_at = None
        if filled is not None:
            self._after(filled)
        return filled is not None

    def _obey(self, run: BackfillRun) -> None:
        """Take up the settings that were changed from another terminal."""
        rate, target = run.asked.get("rate"), run.asked.get("target")
        given = self._shift.turns
        if isinstance(rate, int | float) and (given is None or turns(run) > given):
            self._shift.brake.change(float(rate))
        if isinstance(target, int | float):
            self._size.target = float(target)

    def _braked(self, rows: int) -> bool:
        """True after a wait for the rate; of a second at most, so that a pause is obeyed meanwhile."""
        left = self._shift.brake.claim(rows)
        if left:
            self._shift.ended.wait(min(left, LONGEST_WAIT))
        return left > 0

    def _had_to_wait(self) -> bool:
        """True after a wait in which no batch may begin."""
        seen = self._shift.seen()
        if seen.hold:
            if seen.reason != self._noted:
                self._shift.batches.runs.note(self._shift.run, seen.reason)
            self._shift.ended.wait(min(max(seen.seconds, 0.1), LONGEST_WAIT))
        self._noted = seen.reason if seen.hold else ""
        return seen.hold

    def _fill(self, rows: int) -> Filled | None:
        """One batch. An empty one where rows failed or were locked: what follows is smaller."""
        filled: Filled | None = None
        try:
            filled = self._tried(rows)
        finally:
            self._shift.brake.settle(rows, filled.changed if filled is not None else 0)
        return filled

    def _tried(self, rows: int) -> Filled | None:
        reason = self._reason or self._shift.seen().reason
        pace = Pace(rows, round(self._speed.rate, 1), reason, self._shift.longest_wait())
        try:
            filled = self._open().fill(self._shift.run, pace)
        except BatchFailed as error:
            return self._narrowed(error, pace)
        except BatchInTheWay as error:
            self._in_the_way += 1
            if self._reason != error.what:
                self._shift.batches.runs.note(self._shift.run, error.what)
            self._reason = error.what
            self._size.halve()
            self._shift.ended.wait(min(BACKOFF * 2**self._in_the_way, LONGEST_BACKOFF))
            return Filled(0, 0, 0, 0.0)
        self._in_the_way, self._reason = 0, ""
        if self._most is not None and filled is not None:
            self._most = self._most * 2 if self._most * 2 < self._size.rows else None
        return filled

    def _narrowed(self, error: BatchFailed, pace: Pace) -> Filled | None:
        if error.rows > 1:
            self._most = max(min(error.rows, pace.rows) // 2, 1)
            return Filled(0, 0, 0, 0.0)
        if not self._shift.allowance.take():
            raise error
        return self._open().fill(self._shift.run, Pace(1, pace.rate, pace.throttled_by, pace.wait_ms), skip=True)

    def _after(self, filled: Filled) -> None:
        if filled.looked_at:
            self._size.took(filled.looked_at, filled.seconds)
            self._speed.add(filled.changed)
        if pause := self._shift.seen().seconds:
            self._shift.ended.wait(min(pause, LONGEST_WAIT))

    def _wait_for_server(self, error: UnreachableError) -> None:
        """Try again with growing pauses. Raises FailedError (server-lost) when patience ends."""
        self._close()
        now = self._shift.clock()
        self._lost_at = now if self._lost_at is None else self._lost_at
        if now - self._lost_at >= self._shift.patience:
            raise FailedError(
                "server-lost",
                error.what,
                where=error.where,
                fix=f"bring the server back, then `provision backfill resume {self._shift.backfill.name}`",
            ) from None
        self._shift.ended.wait(min(max(BACKOFF, now - self._lost_at), LONGEST_BACKOFF))

    def _open(self) -> Work:
        if self._work is None:
            self._work = self._shift.batches.work(self._shift.backfill)
        return self._work

    def _close(self) -> None:
        if self._work is not None:
            self._work.close()
        self._work = None
