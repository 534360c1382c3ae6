"""Runs backfills: reaches what is needed, holds the lease of the run, writes down the completion."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from provision.backfill.run import join, lead, patiently
from provision.backfill.states import moved
from provision.backfill.tally import BatchTally
from provision.backfill.worker import LIMIT, LIMIT_TURNS, turns
from provision.backfill.workers import RunContext, StopEvent, WorkerOptions, whole
from provision.core import lease as leases
from provision.core.execute import EventNumbering
from provision.core.ledger import fold, highest_token
from provision.errors import CapabilityMissing, ConfigError, FailedError, ProvisionError, RefusedError, raise_all
from provision.model import RUN_LOCK, Event, EventKind, LeaseRecord, Owner, Revision, StateName
from provision.model.backfills import Backfill, BackfillRun, RunState
from provision.ports import Leases, Store
from provision.ports.backfill import Batches, Readable
from provision.process import dead

PARTS = 8  # of a run: so many processes can share it
NO_BACKFILLS = "fill the rows in a migration of the store"


Complete = Callable[[BackfillRun], None]
Hooked = Callable[[str, Callable[[], BackfillRun], ProvisionError | None], None]


@dataclass(frozen=True, slots=True)
class BackfillContext:
    """Where backfills run: the stores that were reached, and the home store's leases (None: `--no-lock`)."""

    project: str
    stores: Mapping[str, Store]
    owner: Owner
    leases: Leases | None
    lease_seconds: float = 30.0
    wait: float = 600.0
    again: Callable[[], AbstractContextManager[BackfillContext]] | None = None
    """Reaches the same stores anew: a connection that did nothing for hours may be cut. None: they are fresh enough."""


@dataclass(frozen=True, slots=True)
class BackfillRequest:
    """How a run was asked for; `told` hears how far it is, `noted` a line for people, `stopped` is set to end it.

    `hooked` hears on_start, on_pause, on_error and on_done, and asks for the run where it wants it. `check` is asked
    before each batch beside the run's own lock; raises LeaseLost.
    """

    orders: WorkerOptions = field(default_factory=WorkerOptions)
    told: Callable[[BackfillRun], None] = field(default=lambda _: None)
    noted: Callable[[str], None] = field(default=lambda _: None)
    stopped: StopEvent = field(default_factory=StopEvent)
    tally: BatchTally = field(default_factory=BatchTally)
    hooked: Hooked = field(default=lambda _event, _run, _error: None)
    check: Callable[[], None] = field(default=lambda: None)


def batches_of(store: Store) -> Batches:
    """Raises CapabilityMissing."""
    if store.batches is None:
        raise CapabilityMissing.of_kind(store.name, store.kind, "backfills", NO_BACKFILLS)
    return store.batches


def bound(stores: Mapping[str, Store], backfill: Backfill) -> Backfill:
    """The backfill with the rows of the other store that it is made from, if any. Raises CapabilityMissing."""
    origin = backfill.origin
    if origin is None:
        return backfill
    store = stores[origin.store]
    batches = store.batches
    if not isinstance(batches, Readable):
        what, fix = f"stores of kind {store.kind} are not read", "name a store of another kind under `from`"
        raise CapabilityMissing(store.name, "rows to fill from", what, fix)
    return replace(backfill, source=lambda: batches.source(origin))


def run(
    place: BackfillContext, backfill: Backfill, asked: BackfillRequest, completed: Complete | None = None
) -> BackfillRun:
    """Begin the backfill, or go on where the last run of it stopped, and bring it to its end.

    `completed` writes the completion for a caller that holds the run lease; without it, `complete` does.

    Raises ConfigError for all that the server refuses, RefusedError (requirement-not-met, backfill-changed),
    LeaseHeld with who runs it, and as `lead`.
    """
    backfill = bound(place.stores, backfill)
    store = place.stores[backfill.store]
    batches = batches_of(store)
    _required(place, backfill)
    _accepted(batches, backfill, asked)
    store.ledger.read()  # refuses what a newer release wrote
    with _led(place, backfill) as own:
        batches.runs.create()
        begun = _begun(place, batches, backfill, asked)

        def check() -> None:
            asked.check()
            own()

        post = _running(backfill, batches, asked, begun, check)

        def done(found: BackfillRun) -> None:
            # Written twice, where an answer was lost, it says the same.
            patiently(post, lambda: complete(place, backfill, found, asked.noted))

        asked.hooked("on_start", lambda: begun, None)
        return _led_to_its_end(post, begun, completed or done, asked)


def _led_to_its_end(post: RunContext, begun: BackfillRun, done: Complete, asked: BackfillRequest) -> BackfillRun:
    try:
        found = lead(post, begun.run, done)
    except ProvisionError as error:
        asked.hooked("on_error", lambda: _as_it_stands(post, begun), error)
        raise
    if found.state is RunState.SUCCEEDED:
        asked.hooked("on_done", lambda: found, None)
    return found


def _as_it_stands(post: RunContext, begun: BackfillRun) -> BackfillRun:
    """The run with its counts, as it was when it began where its server is gone."""
    try:
        return whole(post, begun.run)
    except ProvisionError:
        return begun


def help_out(place: BackfillContext, backfill: Backfill, asked: BackfillRequest) -> BackfillRun:
    """Work on a run that another process leads. Raises ConfigError (nothing-to-join, capability-missing)."""
    backfill = bound(place.stores, backfill)
    batches = batches_of(place.stores[backfill.store])
    last = latest(batches, backfill.name)
    if last is None or last.state.over or holding(place, backfill) is None:
        raise ConfigError(
            "nothing-to-join",
            f"nobody runs {backfill.name} now",
            where=backfill.shown,
            fix=f"run it here: `provision backfill run {backfill.name}`",
        )
    if last.checksum != backfill.checksum:
        raise _changed(backfill, last)
    with closing(batches.work(backfill)) as work:
        if not work.shared:
            what = f"a backfill of kind {place.stores[backfill.store].kind} has one worker"
            raise CapabilityMissing(backfill.store, "shared runs", what, "leave it to the process that runs it")
    _accepted(batches, backfill, asked)
    return join(_running(backfill, batches, asked, last, lambda: None), last.run)


def _running(
    backfill: Backfill, batches: Batches, asked: BackfillRequest, found: BackfillRun, check: Callable[[], None]
) -> RunContext:
    turns_ = _turns(asked, found)
    context = RunContext(backfill, batches, check, asked.stopped, asked.orders, asked.told, turns_, asked.tally)
    return replace(context, paused=lambda found: asked.hooked("on_pause", lambda: found, None))


def _turns(asked: BackfillRequest, found: BackfillRun) -> int | None:
    """With a rate of its own the process obeys later changes only: see `WorkerContext`."""
    return turns(found) if asked.orders.rate is not None else None


def complete(place: BackfillContext, backfill: Backfill, found: BackfillRun, noted: Callable[[str], None]) -> None:
    """Append the ledger event that opens the gate, under the run lease, taken for that alone. Raises LeaseHeld."""
    if place.again is not None:
        with place.again() as fresh:
            return complete(fresh, backfill, found, noted)
    store = place.stores[backfill.store]
    token = max(highest_token(each.ledger.read()) for each in place.stores.values())
    held = None
    if place.leases is not None:
        place.leases.create()
        held = leases.acquire(
            place.leases,
            RUN_LOCK,
            place.owner,
            floor=token,
            seconds=place.lease_seconds,
            wait=place.wait,
            waiting=lambda holding: noted(leases.awaited(holding)),
            dead=dead,
        )
    try:
        number = held.token if held is not None else token + 1
        store.ledger.create()
        store.ledger.raise_fence(number)
        if held is not None:
            held.check()
        store.ledger.append(completion(EventNumbering(place.project, number, place.owner.actor), backfill, found))
    finally:
        if held is not None:
            held.release()


def completion(pen: EventNumbering, backfill: Backfill, found: BackfillRun) -> Event:
    """The ledger event of a backfill that is complete."""
    taken = round((datetime.now(UTC) - found.started_at).total_seconds() * 1000)
    store, number = backfill.id.split("/", 1)
    revision = Revision(store, number, "", "", "", backfill.checksum)
    return pen.event(revision, EventKind.APPLIED, duration_ms=max(taken, 0), run=found.run, rows=found.rows_done)


def latest(batches: Batches, name: str) -> BackfillRun | None:
    return next(iter(batches.runs.read(name)), None)


def _begun(place: BackfillContext, batches: Batches, backfill: Backfill, asked: BackfillRequest) -> BackfillRun:
    """The run to work on: the last one if it can go on, else a new one, cut into parts."""
    last = latest(batches, backfill.name)
    if last is not None and not last.state.over and last.state is not RunState.CANCELLING:
        if last.checksum != backfill.checksum:
            raise _changed(backfill, last)
        if not last.parts:  # it ended before they were cut
            batches.runs.cut(last.run, _cut(batches, backfill, asked)[1])
        return _taken_up(place, batches, last, asked)
    now = batches.now()
    if last is not None and last.state is RunState.CANCELLING:
        batches.runs.write(moved(last, RunState.CANCELLED, now))
    total, cursors = _cut(batches, backfill, asked)
    if last is not None and _once(batches, backfill):
        if last.state is RunState.SUCCEEDED:
            since = f"{last.touched_at:%Y-%m-%d %H:%M} UTC"
            what = f"{backfill.name} is complete since {since}: again would count rows twice"
            fix = "write another backfill for what else is missing"
            raise RefusedError("backfill-complete", what, where=backfill.shown, fix=fix)
        cursors = [part.cursor for part in last.parts if not part.done]
    name = f"{now:%Y%m%dT%H%M%S}.{now.microsecond:06d}"
    made = BackfillRun(
        backfill.name, name, RunState.ENQUEUED, backfill.checksum, str(place.owner), now, now, rows_total=total
    )
    batches.runs.write(made)
    batches.runs.cut(name, cursors)
    running = replace(moved(made, RunState.RUNNING, now), asked=_limited({}, asked))
    batches.runs.write(running)
    return running


def _once(batches: Batches, backfill: Backfill) -> bool:
    with closing(batches.work(backfill)) as work:
        return work.once


def _cut(batches: Batches, backfill: Backfill, asked: BackfillRequest) -> tuple[int | None, Sequence[object]]:
    """The rows of a new run, and where its parts begin."""
    with closing(batches.work(backfill)) as work:
        for line in work.warnings():
            asked.noted(line)
        total = work.total()
        parts = max(PARTS, asked.orders.workers * 2) if work.shared and (total is None or total >= 1000) else 1
        return total, work.cursors(parts)


def _limited(settings: Mapping[str, object], asked: BackfillRequest) -> dict[str, object]:
    """The settings of a run with the rate that its leader was given, which those who join keep to; see `worker`."""
    kept = {key: value for key, value in settings.items() if key not in (LIMIT, LIMIT_TURNS)}
    rate, turns_ = asked.orders.rate, kept.get("turns", 0)
    return kept if rate is None else {**kept, LIMIT: rate, LIMIT_TURNS: turns_}


def _taken_up(place: BackfillContext, batches: Batches, last: BackfillRun, asked: BackfillRequest) -> BackfillRun:
    """The last run, continued by this process. Its leader has ended: otherwise we would not hold its lock."""
    if last.state is RunState.INCOMPLETE:
        batches.runs.retry_skipped(last.run)
    steps = {
        RunState.RUNNING: (RunState.INTERRUPTED, RunState.ENQUEUED, RunState.RUNNING),
        RunState.PAUSING: (RunState.INTERRUPTED, RunState.ENQUEUED, RunState.RUNNING),
        RunState.ENQUEUED: (RunState.RUNNING,),
    }.get(last.state, (RunState.ENQUEUED, RunState.RUNNING))
    for state in steps:
        fresh = batches.runs.peek(last.run)
        settings = _limited(fresh.asked, asked)
        last = moved(fresh, state, batches.now(), owner=str(place.owner), error="", asked=settings)
        if not batches.runs.write(last):
            raise FailedError("run-contested", f"run {last.run} was changed meanwhile", fix="run the command again")
    return last


@contextmanager
def _led(place: BackfillContext, backfill: Backfill) -> Iterator[Callable[[], None]]:
    """Hold the lease of the run; lends what checks it. Raises LeaseHeld at once when another process has it."""
    if place.leases is None:
        yield lambda: None
        return
    place.leases.create()
    held = leases.acquire(
        place.leases,
        backfill.id,
        place.owner,
        floor=0,
        seconds=place.lease_seconds,
        wait=0.0,
        waiting=lambda _: None,
        dead=dead,
        what=f"{backfill.name} is run already",
        fix=f"`provision backfill run {backfill.name} --join` helps;"
        f" `provision backfill status {backfill.name}` shows how far it is",
    )
    try:
        yield held.check
    finally:
        held.release()


def holding(place: BackfillContext, backfill: Backfill) -> LeaseRecord | None:
    """Who leads the run now: a lease that ran out, or whose process is gone, leads nothing."""
    found = place.leases.read(backfill.id) if place.leases is not None else None
    return found if found is not None and found.expires_in > 0 and not dead(found.owner) else None


def _required(place: BackfillContext, backfill: Backfill) -> None:
    """Refuse to fill before the revisions that it requires are applied."""
    missing = [name for name in backfill.requires if not _is_applied(place.stores[name.split("/", 1)[0]], name)]
    if missing:
        raise RefusedError(
            "requirement-not-met",
            f"{backfill.name} requires {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not applied",
            where=backfill.place("requires"),
            fix="`provision up`, then run it again",
        )


def _is_applied(store: Store, name: str) -> bool:
    peer = store.peer
    if peer is not None:
        return name in peer.applied()
    state = fold(store.ledger.read()).get(name)
    return state is not None and state.name is StateName.APPLIED


def _accepted(batches: Batches, backfill: Backfill, asked: BackfillRequest) -> None:
    with closing(batches.work(backfill)) as work:
        if asked.orders.workers > 1 and not work.shared:
            what = "a backfill of this kind has one worker"
            raise CapabilityMissing(backfill.store, "shared runs", what, "leave --workers out")
        raise_all(work.refused())


def _changed(backfill: Backfill, last: BackfillRun) -> RefusedError:
    return RefusedError(
        "backfill-changed",
        f"{backfill.shown} was edited since run {last.run} began, which is {last.state}",
        where=f"{backfill.shown}; checksum {last.checksum[:6]}… is now {backfill.checksum[:6]}…",
        fix=f"restore the file; or `provision backfill cancel {backfill.name}`, then"
        f" `provision backfill run {backfill.name}` begins anew",
    )
