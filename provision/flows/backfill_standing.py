"""How backfills stand, and what a person asks of their runs from another terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from provision.backfill.states import CANCEL, PAUSE, RESUME, moved, seen
from provision.backfill.worker import turns
from provision.core.ledger import fold
from provision.errors import RefusedError
from provision.flows.backfill import BackfillContext, batches_of, holding, latest
from provision.model import LeaseRecord, StateName
from provision.model.backfills import Backfill, BackfillRun, LockHolder, RunState

FRESH = timedelta(seconds=10)  # how long a rate says something


def ask(place: BackfillContext, backfill: Backfill, wish: str) -> BackfillRun:
    """Ask the last run to `pause`, `resume` or `cancel`; whoever leads it obeys after the batch in hand.

    Raises RefusedError (nothing-to-ask) where that makes no sense.
    """
    table = {"pause": PAUSE, "resume": RESUME, "cancel": CANCEL}[wish]
    batches = batches_of(place.stores[backfill.store])
    while True:
        last = latest(batches, backfill.name)
        led = holding(place, backfill) is not None
        if last is None or seen(last, led=led) not in table:
            state = seen(last, led=led) if last is not None else "not begun"
            raise RefusedError(
                "nothing-to-ask",
                f"{backfill.name} is {state}: there is nothing to {wish}",
                where=backfill.shown,
                fix=f"`provision backfill status {backfill.name}` shows how it stands",
            )
        after = _after_request(last, wish, led=led, now=batches.now())
        if batches.runs.write(after):
            return after


def tune(place: BackfillContext, backfill: Backfill, settings: Mapping[str, object]) -> BackfillRun:
    """Change settings of the last run while it runs. Raises RefusedError (nothing-to-ask)."""
    batches = batches_of(place.stores[backfill.store])
    while True:
        last = latest(batches, backfill.name)
        if last is None or last.state.over:
            what = f"{backfill.name} has no run that could be changed"
            fix = f"begin one: `provision backfill run {backfill.name}`"
            raise RefusedError("nothing-to-ask", what, where=backfill.shown, fix=fix)
        asked = {**last.asked, **settings} | ({"turns": turns(last) + 1} if "rate" in settings else {})
        after = replace(last, asked=asked, touched_at=batches.now(), version=last.version + 1)
        if batches.runs.write(after):
            return after


@dataclass(frozen=True, slots=True)
class BackfillStatus:
    """How a backfill stands: its document, its last run, whether its gate is open, who leads it now.

    `state` is the run's as people read it, `not_begun` without one, `complete` where only the ledger knows of one.
    `rate` is in rows a second and `batch` in rows, both 0 while nothing goes on.
    """

    backfill: Backfill
    run: BackfillRun | None
    state: str
    complete: bool
    leader: LeaseRecord | None = None
    rate: float = 0.0
    throttled_by: str = ""
    batch: int = 0

    @property
    def holder(self) -> LockHolder | None:
        """Whose locks are in its way, where that is what slows it down."""
        return LockHolder.within(self.throttled_by)

    @property
    def eta_s(self) -> int | None:
        """Seconds until the rows counted at the beginning are filled, at this rate; None when nobody can tell."""
        if self.run is None or not self.rate or self.run.rows_total is None:
            return None
        return round(max(self.run.rows_total - self.run.rows_done, 0) / self.rate)


def standing(place: BackfillContext, backfill: Backfill) -> BackfillStatus:
    """Reads only."""
    store = place.stores[backfill.store]
    batches = batches_of(store)
    state = fold(store.ledger.read()).get(backfill.id)
    complete_ = state is not None and state.name is StateName.APPLIED
    last = latest(batches, backfill.name)
    if last is None:
        return BackfillStatus(backfill, None, "complete" if complete_ else "not_begun", complete_)
    leading = holding(place, backfill)
    shown = seen(last, led=leading is not None or place.leases is None)
    found = going(backfill, last, str(shown))
    stale = not any(each.touched_at and batches.now() - each.touched_at < FRESH for each in last.parts)
    return replace(found, complete=complete_, leader=leading, rate=0.0 if stale else found.rate)


def going(backfill: Backfill, run: BackfillRun, state: str) -> BackfillStatus:
    """How a run stands by itself: at what rate, why no faster, and how large its batches are."""
    touched = [(part.touched_at, part) for part in run.parts if part.touched_at is not None]
    newest = max((at for at, _ in touched), default=None)
    lately = [part for at, part in touched if newest is not None and newest - at < FRESH]
    if state not in (RunState.RUNNING, RunState.PAUSING):
        return BackfillStatus(backfill, run, state, False, batch=max((part.batch for part in run.parts), default=0))
    # A part that was just cut says nothing yet.
    telling = [(at, part.throttled_by) for at, part in touched if part.batch or part.throttled_by]
    why = max(telling)[1] if telling else ""
    rate, batch = sum(part.rate for part in lately), max((part.batch for part in lately), default=0)
    return BackfillStatus(backfill, run, state, False, rate=rate, throttled_by=why, batch=batch)


def _after_request(last: BackfillRun, wish: str, *, led: bool, now: datetime) -> BackfillRun:
    """The run after a wish; one that nobody leads is first said to be interrupted, or cancelled at once."""
    if not led and last.state in (RunState.RUNNING, RunState.PAUSING) and wish != "pause":
        last = moved(last, RunState.INTERRUPTED, now)
        table = {"resume": RESUME, "cancel": CANCEL}[wish]
        return replace(moved(last, table[RunState.INTERRUPTED], now), version=last.version)
    return moved(last, {"pause": PAUSE, "resume": RESUME, "cancel": CANCEL}[wish][last.state], now)
