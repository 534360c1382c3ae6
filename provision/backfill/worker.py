"""One worker of a run: batch after batch, giving way, splitting what fails, waiting for a server that went away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from provision.backfill import advice
from provision.backfill.pace import BatchSize, Brake, Speed
from provision.backfill.tally import BatchTally
from provision.errors import BatchFailed, BatchInTheWay, BatchTooLong, FailedError, UnreachableError
from provision.model.backfills import Backfill, BackfillRun, Filled, Pace, RunState, ServerSignal
from provision.ports.backfill import Batches, Work
from provision.text.counts import rows_of

BACKOFF, LONGEST_BACKOFF = 0.1, 5.0  # seconds
LONGEST_WAIT = 1.0
GIVING_WAY = 100  # times in a row that a batch gives way to others where nothing else is asked: some eight minutes
EARNED = 10  # batches that go well give a try back
LEFT_FOR = 5.0  # seconds for which it is told that rows were left to others
LIMIT, LIMIT_TURNS = "limit", "limit_turns"  # of `asked`: the leader's own rate, and the turns when it was given
SELDOM = 20.0  # × as long as it took to ask, until the run's state and settings are asked for again


def turns(run: BackfillRun) -> int:
    """How often the rate of the run was changed while it ran."""
    found = run.asked.get("turns", 0)
    return found if isinstance(found, int) else 0


class Allowance:
    """How many rows may be passed over, by all workers of this process together."""

    def __init__(self, rows: float) -> None:
        self._rows, self._turn = rows, threading.Lock()

    def take(self) -> bool:
        with self._turn:
            self._rows -= 1
            return self._rows >= 0

    def give(self) -> None:
        """Back, for a row that was not passed over after all."""
        with self._turn:
            self._rows += 1


class RetryBudget:
    """How often batches may be tried again as they are, by one worker; some that went well give one try back."""

    def __init__(self, tries: int) -> None:
        self._tries = self._left = tries
        self._good = 0

    def take(self) -> bool:
        self._left -= 1
        return self._left >= 0

    def earn(self) -> None:
        self._good += 1
        if self._good % EARNED == 0:
            self._left = min(max(self._left, 0) + 1, self._tries)


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
    tally: BatchTally
    patience: float = 60.0
    stop_at_once: bool = False  # when a batch fails, without looking for the row
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
        self._next_peek = 0.0
        self._lost_at: float | None = None
        self._noted = ""
        self._reason = ""
        self._left = (-LEFT_FOR, "")
        retries = shift.backfill.retries
        self._giving_way = RetryBudget(GIVING_WAY if retries is None else retries)
        self._again = RetryBudget(retries or 0)

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
            if not self._may_go_on():
                return False
            self._open()
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

    def _may_go_on(self) -> bool:
        """False once the run is no longer running: asked so seldom that it takes little of the time, however far away
        the server is. A store that can asks again within its batch.
        """
        began = self._shift.clock()
        if began < self._next_peek:
            return True
        run = self._shift.batches.runs.peek(self._shift.run)
        took = self._shift.clock() - began
        self._next_peek = began + min(took * SELDOM, LONGEST_WAIT)
        if run.state is RunState.RUNNING:
            self._obey(run)
        return run.state is RunState.RUNNING

    def _obey(self, run: BackfillRun) -> None:
        """Take up the settings that were changed from another terminal."""
        rate, target, limit = (run.asked.get(key) for key in ("rate", "target", LIMIT))
        given = self._shift.turns
        if given is None and limit is not None and turns(run) <= float(str(run.asked.get(LIMIT_TURNS, 0))):
            rate = limit  # of the process that leads the run
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
        if (seen.reason if seen.hold else "") != self._noted:
            self._shift.batches.runs.note(self._shift.run, seen.reason if seen.hold else "")
        if seen.hold:
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
        reason = self._why()
        limit = self._size.limit if rows > 1 else 0.0
        pace = Pace(rows, round(self._speed.rate, 1), reason, self._shift.longest_wait(), limit)
        try:
            filled = self._open().fill(self._shift.run, pace)
        except BatchFailed as error:
            return self._narrowed(error, pace)
        except BatchTooLong as error:
            self._size.ended(rows, error.seconds)
            return Filled(0, 0, 0, 0.0)
        except BatchInTheWay as error:
            if not self._giving_way.take():
                error.where = self._shift.backfill.shown
                error.fix = advice.resume(self._shift.backfill.name, "look at who holds the locks")
                raise
            self._in_the_way += 1
            if self._reason != error.what:
                self._shift.batches.runs.note(self._shift.run, error.what)
            self._reason = error.what
            self._size.halve()
            self._shift.ended.wait(min(BACKOFF * 2**self._in_the_way, LONGEST_BACKOFF))
            return Filled(0, 0, 0, 0.0)
        self._in_the_way, self._reason = 0, ""
        self._giving_way.earn()
        self._again.earn()
        if filled is not None and filled.locked:
            by = str(filled.holder) if filled.holder is not None else "others"
            self._left = (self._shift.clock(), f"{rows_of(filled.locked)} locked by {by}")
        if self._most is not None and filled is not None:
            self._most = self._most * 2 if self._most * 2 < self._size.rows else None
        return filled

    def _why(self) -> str:
        """Why it goes no faster, for people; empty where nothing but the target of a batch holds it."""
        at, left = self._left
        lately = left if self._shift.clock() - at < LEFT_FOR else ""
        rate = self._shift.brake.rate
        return (
            self._reason
            or self._shift.tally.waiting
            or lately
            or self._shift.seen().reason
            or (f"the rate of {rate:g} rows/s" if rate else "")
        )

    def _narrowed(self, error: BatchFailed, pace: Pace) -> Filled | None:
        if error.passing and self._again.take():
            self._shift.batches.runs.note(self._shift.run, f"a batch that failed and is tried again: {error.what}")
            self._shift.ended.wait(BACKOFF)
            return Filled(0, 0, 0, 0.0)
        if error.rows > 1 and self._shift.stop_at_once:
            error.what = f"a batch of {rows_of(error.rows)}: {error.what}"
            raise error
        if error.rows > 1:
            self._most = max(min(error.rows, pace.rows) // 2, 1)
            return Filled(0, 0, 0, 0.0)
        if not self._shift.allowance.take():
            raise error
        try:
            return self._open().fill(self._shift.run, Pace(1, pace.rate, pace.throttled_by, pace.wait_ms), skip=True)
        except BatchInTheWay:
            self._shift.allowance.give()
            self._shift.ended.wait(BACKOFF)
            return Filled(0, 0, 0, 0.0)

    def _after(self, filled: Filled) -> None:
        self._shift.tally.add(filled)
        if filled.looked_at:
            self._size.took(filled.looked_at, filled.seconds, held=filled.held)
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
                fix=advice.resume(self._shift.backfill.name, "bring the server back"),
            ) from None
        self._shift.ended.wait(min(max(BACKOFF, now - self._lost_at), LONGEST_BACKOFF))

    def _open(self) -> Work:
        if self._work is None:
            self._work = self._shift.batches.work(self._shift.backfill)
            if width := self._work.width():
                self._size.at_most(self._shift.backfill.most_bytes // width)
        return self._work

    def _close(self) -> None:
        if self._work is not None:
            self._work.close()
        self._work = None
