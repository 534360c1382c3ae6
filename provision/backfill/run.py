"""Leads a run from its first batch to its end: pauses, last passes, the final look, the word that it is complete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from provision.backfill import advice
from provision.backfill.states import moved
from provision.backfill.workers import RunContext, whole, work_through
from provision.errors import FailedError, Interrupted, LeaseLost, ProvisionError, RowsSkipped, UnreachableError
from provision.model.backfills import BackfillRun, Left, RunState
from provision.text.counts import rows_of

VAIN_PASSES = 3  # that leave as many rows as there were
PATIENT = (0.1, 0.3, 1.0, 3.0, 6.0, 10.0, 20.0, 20.0)  # seconds between two tries of a server that went away
ASK_EVERY = 0.2  # seconds, while paused
T = TypeVar("T")
LOCKED = (0.2, 5.0)  # seconds between two visits of rows that others hold locked: the first, and the longest
_RESUMABLE = ("server-lost", "interrupted", "disk-full", "rows-locked", "table-locked", "batch-in-the-way")


def lead(post: RunContext, run: str, complete: Callable[[BackfillRun], None]) -> BackfillRun:
    """Bring the run to its end; `complete` writes the completion, before the run says that it succeeded.

    Returns the run as it ended: succeeded or cancelled. Raises Interrupted, LeaseLost, FailedError (batch-failed,
    rows-left, rows-skipped, verify-failed, schema-changed, server-lost, …), each kept with the run where it can be.
    """
    passes = _Passes(post, run)
    try:
        while (found := passes.next()) is None:
            continue
        if found.state is RunState.CANCELLED:
            return found
        _finished(post, found)
        complete(found)
        return replace(change(post, run, RunState.SUCCEEDED), parts=found.parts)
    except LeaseLost:
        raise  # another process leads it now: what it says of the run is true
    except ProvisionError as error:
        _keep(post, run, error)
        raise


def join(post: RunContext, run: str) -> BackfillRun:
    """Work on a run that another process leads, until nothing is free for this one or the run is over."""
    while True:
        work_through(post, run)
        if post.stopped.is_set():
            raise Interrupted(post.stopped.by)
        found = patiently(post, lambda: whole(post, run))
        if found.state is RunState.RUNNING or found.state.over:
            return found
        if found.state not in (RunState.PAUSING, RunState.PAUSED, RunState.ENQUEUED):
            return found
        post.stopped.wait(ASK_EVERY)


def change(post: RunContext, run: str, state: RunState, **fields: object) -> BackfillRun:
    """Move the run to a state, whatever else is asked of it at the same time. Raises RefusedError (run-illegal)."""
    while True:
        before = patiently(post, lambda: post.batches.runs.peek(run))
        if before.state is state:
            return before  # written before an answer was lost
        after = moved(before, state, patiently(post, post.batches.now), **fields)
        if patiently(post, lambda: post.batches.runs.write(after)):  # noqa: B023 (called before the next turn)
            return after


def patiently(post: RunContext, ask: Callable[[], T]) -> T:
    """The answer to what may be asked twice, waited for while the server is away. Raises FailedError (server-lost)."""
    for pause in PATIENT:
        try:
            return ask()
        except UnreachableError as error:
            lost = error
            if post.stopped.wait(min(pause, post.orders.patience)) or post.orders.patience < pause:
                break
    fix = advice.resume(post.backfill.name, "bring the server back")
    raise FailedError("server-lost", lost.what, where=lost.where, fix=fix)


class _Passes:
    """Passes over what is open, then over what is left, until nothing is."""

    def __init__(self, post: RunContext, run: str) -> None:
        self._post, self._run = post, run
        self._least: int | None = None  # rows left after any pass
        self._vain = 0  # passes since then
        self._locked = 0.0  # seconds for which nothing but locked rows was left

    def next(self) -> BackfillRun | None:
        """One pass; the run once it needs no other."""
        self._post.tally.begin_pass()
        work_through(self._post, self._run)
        if self._post.stopped.is_set():
            raise Interrupted(self._post.stopped.by)
        found = patiently(self._post, lambda: whole(self._post, self._run))
        self._post.told(found)
        if found.state is RunState.CANCELLING:
            return change(self._post, self._run, RunState.CANCELLED)
        if found.state is RunState.PAUSING:
            change(self._post, self._run, RunState.PAUSED)
            return _paused(self._post, self._run)
        if any(not part.done for part in found.parts):
            self._post.stopped.wait(ASK_EVERY)  # they are in the hands of other processes
            return None
        return self._left(found)

    def _left(self, found: BackfillRun) -> BackfillRun | None:
        """After every part is done: None with further parts where rows are left, else the run."""
        left, further = patiently(self._post, lambda: self._count(found.run))
        if not left.rows:
            return found
        locked = bool(self._post.tally.locked)
        self._vain = self._vain + 1 if not locked and self._least is not None and left.rows >= self._least else 0
        self._least = left.rows if self._least is None else min(left.rows, self._least)
        if self._vain >= VAIN_PASSES:
            raise FailedError(
                "rows-left",
                f"{rows_of(left.rows)} still match{'es' if left.rows == 1 else ''} `where` after"
                f" {'it was' if left.rows == 1 else 'they were'} filled: {left}",
                where=self._post.backfill.place("set"),
                fix=advice.resume_or_anew(
                    self._post.backfill.name, "stop what empties them again", "`set` gives them what `where` wants"
                ),
            )
        # A second one, where an answer was lost, finds nothing left.
        patiently(self._post, lambda: self._post.batches.runs.cut(found.run, further))
        if locked:
            self._wait_for_others(found.run, left)
        return None

    def _wait_for_others(self, run: str, left: Left) -> None:
        """Before rows that others hold locked are visited again. Raises FailedError (rows-locked) after a while."""
        post, holder = self._post, self._post.tally.holder
        by = str(holder) if holder is not None else "others"
        if self._locked >= post.backfill.locked:
            fix = advice.resume(post.backfill.name, "end that transaction, or wait for it")
            what = f"{rows_of(left.rows)} stayed locked: {left}"
            raise FailedError("rows-locked", what, where=f"locked by {by}", fix=fix)
        post.tally.waiting = f"{rows_of(post.tally.locked)} locked by {by}"
        patiently(post, lambda: post.batches.runs.note(run, post.tally.waiting))
        pause = min(max(self._locked / 4, LOCKED[0]), LOCKED[1], post.backfill.locked)
        self._locked += pause
        post.told(whole(post, run))
        post.stopped.wait(pause)

    def _count(self, run: str) -> tuple[Left, Sequence[object]]:
        with closing(self._post.batches.work(self._post.backfill)) as work:
            left = work.left(run)
            return left, work.rest() if left.rows else ()


def _paused(post: RunContext, run: str) -> BackfillRun | None:
    """Wait until someone lets the run go on; the run if someone ends it."""
    found = patiently(post, lambda: whole(post, run))
    post.told(found)
    post.paused(found)
    while not post.stopped.wait(ASK_EVERY):
        post.check()
        found = patiently(post, lambda: post.batches.runs.peek(run))
        if found.state is RunState.ENQUEUED:
            change(post, run, RunState.RUNNING)
            return None
        if found.state is RunState.CANCELLED:
            return found
    raise Interrupted(post.stopped.by)


def _finished(post: RunContext, found: BackfillRun) -> None:
    """Refuse an end that is none: rows passed over, or a `verify` that does not hold."""
    if found.rows_skipped:
        name = post.backfill.name
        fix = advice.resume(name, f"`provision backfill status {name}` names them: correct them")
        raise RowsSkipped(found.rows_skipped, where=post.backfill.shown, fix=fix)

    def ask() -> str:
        with closing(post.batches.work(post.backfill)) as work:
            return work.verified()

    if why := patiently(post, ask):
        fix = advice.resume_or_anew(post.backfill.name, "look at the rows and correct them")
        raise FailedError("verify-failed", why, where=post.backfill.place("verify"), fix=fix)


def _keep(post: RunContext, run: str, error: ProvisionError) -> None:
    """Write down how the run ended, where its server still listens."""
    resumable = error.code in _RESUMABLE or isinstance(error, Interrupted | UnreachableError)
    state = RunState.INTERRUPTED if resumable else RunState.ERRORED
    if isinstance(error, RowsSkipped):
        state = RunState.INCOMPLETE
    try:
        before = post.batches.runs.peek(run)
        if before.state in (RunState.RUNNING, RunState.PAUSING):
            change(post, run, state, error=error.what)
    except ProvisionError:
        return  # without a server its log says `running`, and no lease: that is read as interrupted
