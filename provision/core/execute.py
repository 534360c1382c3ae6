"""Runs a plan: one thread a lane; a step waits for what it requires; after a failure the other lanes stop."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import zip_longest

from provision.core import statements
from provision.core.graph import edges
from provision.core.silence import Silences
from provision.errors import (
    FailedError,
    FellSilent,
    Interrupted,
    LeaseLost,
    ProvisionError,
    StatementFailed,
    UnreachableError,
)
from provision.model import (
    Began,
    Direction,
    Done,
    Event,
    EventKind,
    Failure,
    Listener,
    Note,
    Plan,
    Report,
    Revision,
    Step,
)
from provision.model.statements import Mark
from provision.ports import Store
from provision.text.credentials import hidden
from provision.threads import Waited

_LOST = "bring the server back and run the same command again: it finds out what became of the last statement"


# The entries that say which file it was: another one may get the same number on another branch.
_MAKING = (EventKind.STARTED, EventKind.APPLIED, EventKind.ADOPTED, EventKind.BASELINED, EventKind.RESOLVED)


def _of_file(revision: Revision, kind: EventKind) -> dict[str, object]:
    """What an entry that makes a state says of the file: its name, and what it runs where its store compares that."""
    if not revision.file or kind not in _MAKING:
        return {}
    ran = revision.runs() if revision.runs is not None and kind is not EventKind.STARTED else ""
    return {"file": revision.file, **({"runs": ran} if ran else {})}


class EventNumbering:
    """Numbers the events of one store in one run: `(token, n)` with n from 1."""

    def __init__(self, project: str, token: int, actor: str) -> None:
        self.project, self.token, self._actor = project, token, actor
        self._n = 0

    @property
    def last(self) -> int:
        """The number of the newest event."""
        return self._n

    def event(self, revision: Revision, kind: EventKind, **fields: object) -> Event:
        """The next event. `duration_ms` and `statement` are its own fields, every other keyword goes to its detail."""
        self._n += 1
        # What reads it holds it against a text whose secrets are hidden too.
        fields = {name: hidden(each) if isinstance(each, str) else each for name, each in fields.items()}
        duration, number = fields.pop("duration_ms", 0), fields.pop("statement", None)
        return Event(
            project=self.project,
            revision=revision.id,
            kind=kind,
            checksum=revision.checksum,
            token=self.token,
            n=self._n,
            at=datetime.now(UTC),
            actor=self._actor,
            duration_ms=duration if isinstance(duration, int) else 0,
            statement=number if isinstance(number, int) else None,
            detail={**_of_file(revision, kind), **fields},
        )


class Coordinator:
    """What the lanes share: what is done, and whether to stop."""

    def __init__(self, lanes: int) -> None:
        self._done: set[str] = set()
        self._getting_ready = lanes
        self._changed = threading.Condition()
        self._stop: Exception | None = None

    def stop(self, reason: Exception) -> None:
        """Ask every lane to stop; the first reason is kept. Safe in a signal handler."""
        self._stop = self._stop or reason

    @property
    def stopped(self) -> Exception | None:
        return self._stop

    def add(self, name: str) -> None:
        with self._changed:
            self._done.add(name)
            self._changed.notify_all()

    def ready(self) -> None:
        """A lane has reached its database and is about to ask for its first step."""
        with self._changed:
            self._getting_ready -= 1
            self._changed.notify_all()

    def wait_for(self, needs: Iterable[str]) -> bool:
        """Return True once every lane is ready and everything in `needs` is done, False when the run is to stop."""
        with self._changed:
            while self._stop is None and not self._free(needs):
                self._changed.wait(0.1)
        return self._stop is None

    def is_free(self, needs: Iterable[str]) -> bool:
        """What `wait_for` would return, if it would do so at once; else False."""
        with self._changed:
            return self._stop is None and self._free(needs)

    def _free(self, needs: Iterable[str]) -> bool:
        return self._getting_ready <= 0 and self._done.issuperset(needs)


@dataclass(frozen=True, slots=True)
class Execution:
    """What the lanes of one run are given."""

    pens: Mapping[str, EventNumbering]
    board: Coordinator
    check: Callable[[], None]  # raises LeaseLost
    watcher: Listener
    resume: Mapping[str, int] = field(default_factory=dict)  # id → the statement an open attempt goes on with
    mask: Callable[[str], str] = str
    until: Callable[[], float] = lambda: math.inf  # the monotonic time up to which `check` asks nobody
    check_writing: Callable[[], None] | None = None  # raises LeaseLost; None: as `check`
    may_lose: Callable[[Step], bool] = field(default=lambda _: False)
    # Told what was raised in the thread that waits for the lanes, and whether any of them is still at work.
    interrupted: Callable[[BaseException, bool], None] = field(default=lambda _error, _at_work: None)
    silences: Silences | None = None  # None: lanes are waited for, however long their servers are silent


class LaneJournal:
    """`provision.ports.Journal` for one lane of one run."""

    def __init__(self, store: str, run: Execution, *, alone: bool = True) -> None:
        self.token, self.alone = run.pens[store].token, alone
        self._store, self._run, self._pen = store, run, run.pens[store]
        self.current: Step | None = None
        self.done: list[Done] = []
        self._skipped = ""
        self._after: tuple[Step, Iterable[str]] | None = None  # the step after the current one, what it waits for
        self._begun: Step | None = None
        self.given_up: FellSilent | None = None

    @property
    def sign(self) -> object:
        """Something else whenever the lane has gone on."""
        return self._pen.last, len(self.done), self.current

    def event(self, step: Step, kind: EventKind, **fields: object) -> Event:
        if step.direction is Direction.DOWN:
            fields["direction"] = str(Direction.DOWN)
        if isinstance(fields.get("error"), str):
            fields["error"] = self._run.mask(str(fields["error"]))
        if step.revision.repeatable:
            fields["repeatable"] = True
        if kind is EventKind.SKIPPED:
            self._skipped = str(fields.get("reason", ""))
        return self._pen.event(step.revision, kind, **fields)

    def mark(self, step: Step, statement: int | None = None) -> Mark:
        return Mark(self._pen.project, self.token, step.id, statement)

    def check(self) -> None:
        if self.given_up is not None:
            raise self.given_up
        if isinstance(self._run.board.stopped, Interrupted | LeaseLost):  # a ledger may see the loss before the lease
            raise self._run.board.stopped
        self._run.check()

    @property
    def until(self) -> float:
        return self._run.until()

    def check_lease(self) -> None:
        (self._run.check_writing or self._run.check)()

    def begin_at(self, step: Step) -> int | None:
        return self._run.resume.get(step.id)

    def follow(self) -> Step | None:
        if self._after is None or self.begin_at(self._after[0]) is not None:
            return None
        step, needs = self._after
        self._begun = step if self._run.board.is_free(needs) else None
        return self._begun

    def may_lose(self, step: Step) -> bool:
        return self._run.may_lose(step)

    def note(self, text: str, *, live: bool = False) -> None:
        self._run.watcher(Note(self._store, text, live))

    def steps(self, planned: Sequence[Step], waits: Mapping[str, Sequence[str]]) -> Iterator[Step]:
        """The lane's steps, each as soon as what it waits for is done; ends early when the run is to stop."""
        self._run.board.ready()
        for step, after in zip_longest(planned, planned[1:]):
            if step is not self._begun:
                if not self._run.board.wait_for(waits[step.id]):
                    return
                self.check()
            self._after = (after, {*waits[after.id]} - {step.id}) if after else None
            self.current, began = step, time.monotonic()
            self._run.watcher(Began(step))
            yield step
            self._finish(step, round((time.monotonic() - began) * 1000))

    def _finish(self, step: Step, duration_ms: int) -> None:
        self.current = None
        self.done.append(Done(step, duration_ms, self._skipped))
        self._skipped = ""
        self._run.watcher(self.done[-1])
        self._run.board.add(step.id)


def execute(plan: Plan, stores: Mapping[str, Store], run: Execution) -> Report:
    """Carry out the plan. Never raises for what goes wrong in a lane: the report says it.

    A lane whose store, or the home store, falls silent is left where it is: see `Silences`.
    What is raised in the thread that waits, such as KeyboardInterrupt, ends every lane after the statement in hand and
    leaves only then; raised a second time, it leaves at once.
    """
    began = time.monotonic()
    waits = _waits(plan)
    moved = [stores[name] for name in stores if plan.lane(name)]
    alone = sum(store.lane is not None for store in moved) < 2
    lanes = [_LaneThread(store, plan.lane(store.name), waits, run, alone=alone) for store in moved]
    _carry_out(lanes, run)
    done = tuple(sorted((each for lane in lanes for each in lane.journal.done), key=_place(plan)))
    failures = tuple(lane.failure for lane in lanes if lane.failure is not None)
    finished = {each.step.id for each in done}
    remaining = tuple(step for step in plan.steps if step.id not in finished)
    if remaining and not failures and (stopped := run.board.stopped) is not None:
        failures = (Failure(remaining[0], stopped),)  # every lane was waiting: none of them had anything to say
        run.watcher(failures[0])
    elapsed = round((time.monotonic() - began) * 1000)
    return Report(done, failures, remaining, plan.held, (), elapsed)


def _carry_out(lanes: Sequence[_LaneThread], run: Execution) -> None:
    """Start the lanes and wait for their ends; what is raised meanwhile leaves as `execute` says."""
    try:
        for lane in lanes:
            lane.start()
        _wait_for(lanes, run)
    except BaseException as error:
        run.board.stop(Interrupted(type(error).__name__))
        try:
            _wait_for([lane for lane in lanes if lane.came()], run)
        finally:
            run.interrupted(error, any(lane.came() and not lane.done() for lane in lanes))
        raise


def _wait_for(lanes: Sequence[_LaneThread], run: Execution) -> None:
    while at_work := [lane for lane in lanes if not lane.done()]:
        at_work[0].done(0.5)  # with a timeout, so that signals are handled in between
        if run.silences is not None:
            _give_up_silent(at_work, run.silences, hurried=run.board.stopped is not None)


def _give_up_silent(lanes: Sequence[_LaneThread], silences: Silences, *, hurried: bool) -> None:
    """Leave lanes that wait for an answer which does not come; without the run lock none may send anything more."""
    at_work = {lane.name_of_store: lane for lane in lanes if not lane.done()}
    silences.tick({name: lane.journal.sign for name, lane in at_work.items()}, hurried)
    for name, error in silences.given_up({name: lane.in_hand for name, lane in at_work.items()}, hurried).items():
        at_work[name].give_up(error)


class _LaneThread(Waited):
    watched = True  # by `Silences`

    def __init__(
        self, store: Store, steps: Sequence[Step], waits: Mapping[str, Sequence[str]], run: Execution, *, alone: bool
    ) -> None:
        super().__init__(self._carry_out, f"lane {store.name}", daemon=True)
        self._store, self._steps, self._waits, self._run = store, steps, waits, run
        self.name_of_store = store.name
        self.journal = LaneJournal(store.name, run, alone=alone)
        self.failure: Failure | None = None
        self._ending = threading.Lock()

    @property
    def in_hand(self) -> str:
        """For people: what of this lane may or may not take effect."""
        step = self.journal.current
        return f"{step.id} is in hand, and what becomes of it is not known" if step else f"{self._next().id} is next"

    def done(self, timeout: float | None = 0.0) -> bool:
        return self.journal.given_up is not None or super().done(timeout)

    def give_up(self, error: FellSilent) -> None:
        """Wait for this lane no more: it sends nothing after the statement in hand, should that ever end."""
        with self._ending:
            if not self.done():
                self.journal.given_up = error
                self._failed(error)

    def _carry_out(self) -> None:
        pulled = self.journal.steps(self._steps, self._waits)
        try:
            if self._store.lane is not None:
                self._store.lane.run(pulled, self.journal)
            elif self._store.statements is not None:
                statements.run(self._store.statements, pulled, self.journal)
        except ProvisionError as error:
            self._fail(error)
        except BaseException as error:  # the thread's last line: nothing may end a lane unsaid, SystemExit neither
            self._fail(_unexpected(error, self.journal.current))

    def _fail(self, error: ProvisionError) -> None:
        with self._ending:
            if self.journal.given_up is None:
                self._failed(error)

    def _failed(self, error: ProvisionError) -> None:
        if isinstance(error, UnreachableError):
            # What was reached before and is not any more has failed in mid-run.
            error = FailedError("server-lost", error.what, where=error.where, fix=_LOST)
        step = self.journal.current or self._next()
        number = error.number if isinstance(error, StatementFailed) else None
        self.failure = Failure(step, error, number)
        self._run.board.stop(error)
        self._run.watcher(self.failure)

    def _next(self) -> Step:
        return self._steps[min(len(self.journal.done), len(self._steps) - 1)]


def _unexpected(error: BaseException, step: Step | None) -> FailedError:
    return FailedError(
        "unexpected",
        f"{type(error).__name__}: {error}",
        where=step.revision.path if step else "",
        fix="run `provision status`; the ledger says what was done",
    )


def _waits(plan: Plan) -> dict[str, list[str]]:
    """For each step, the other steps of this plan that must be done first. Downwards the edges turn round."""
    planned = {step.id for step in plan.steps}
    waits: dict[str, list[str]] = {step.id: [] for step in plan.steps}
    for step in plan.steps:
        for edge in edges(step.revision):
            if edge in planned and step.direction is Direction.UP:
                waits[step.id].append(edge)
            elif edge in planned:
                waits[edge].append(step.id)
    return waits


def _place(plan: Plan) -> Callable[[Done], int]:
    places = {step.id: place for place, step in enumerate(plan.steps)}
    return lambda done: places[done.step.id]
