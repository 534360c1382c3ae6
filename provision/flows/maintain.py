"""Runs jobs of maintain.yaml and tells how they stand. What fails stops neither the rest of its job nor other jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import NamedTuple, Protocol

from provision.errors import Interrupted, ProvisionError, joined
from provision.maintain import schedule
from provision.model.maintain import Installed, Job, JobRun, RunState, Task
from provision.ports.maintain import Say, Scheduler, Upkeep

KEPT = 20  # runs of a job that are looked at
NO_JOBS = "jobs are of PostgreSQL and Redis; partitions and backfills of every store that has them"


class Piece(NamedTuple):
    """One step of a job, ready to be carried out: what, and the call that does it and says what came of it."""

    what: str
    run: Callable[[Say], str]


class JobPlan(NamedTuple):
    """A job with its pieces; `upkeep` keeps what becomes of it, where its store can. `error`: it cannot be begun."""

    job: Job
    pieces: Sequence[Piece] = ()
    upkeep: Upkeep | None = None
    error: ProvisionError | None = None


class PieceDone(NamedTuple):
    """What came of a piece, in words, and how long it took."""

    what: str
    said: str
    seconds: float
    error: ProvisionError | None = None


class JobDone(NamedTuple):
    """What came of a job: its pieces as far as they were begun, and all that went wrong."""

    job: Job
    pieces: tuple[PieceDone, ...] = ()
    error: ProvisionError | None = None


class Watcher(Protocol):
    """Told how far a run of jobs is."""

    def begun(self, job: Job, pieces: int) -> None: ...
    def at(self, job: Job, number: int, what: str) -> None: ...
    def said(self, job: Job, text: str) -> None: ...
    def done(self, job: Job, piece: PieceDone) -> None: ...


def run(plans: Iterable[JobPlan], watcher: Watcher, check: Callable[[], None]) -> list[JobDone]:
    """Carry out the jobs, one after the other; `check` raises Interrupted where no further piece is to be begun."""
    outcomes = list[JobDone]()
    for plan in plans:
        outcomes.append(_run(plan, watcher, check))
        if isinstance(outcomes[-1].error, Interrupted):
            break
    return outcomes


def _run(plan: JobPlan, watcher: Watcher, check: Callable[[], None]) -> JobDone:
    if plan.error is not None:
        return JobDone(plan.job, error=plan.error)
    done, key = list[PieceDone](), ""
    try:
        with ExitStack() as stack:
            if plan.upkeep is not None:
                stack.enter_context(plan.upkeep.turn(plan.job))
                key = plan.upkeep.begin(plan.job)
                stack.push(_noted(plan.upkeep, key, done))
            watcher.begun(plan.job, len(plan.pieces))
            for number, piece in enumerate(plan.pieces, 1):
                check()
                watcher.at(plan.job, number, piece.what)
                done.append(_carried_out(plan.job, piece, watcher))
                watcher.done(plan.job, done[-1])
    except ProvisionError as error:
        return JobDone(plan.job, tuple(done), error)
    return JobDone(plan.job, tuple(done), joined([each.error for each in done if each.error is not None]))


def _noted(upkeep: Upkeep, key: str, done: Sequence[PieceDone]) -> Callable[..., bool]:
    """Writes down how the run ended, whatever ended it."""

    def note(_kind: object, error: BaseException | None, _traceback: object) -> bool:
        wrong = [each.error.what for each in done if each.error is not None]
        if error is not None:
            wrong.append(error.what if isinstance(error, ProvisionError) else str(error) or type(error).__name__)
        upkeep.end(key, "; ".join(wrong))
        return False

    return note


def _carried_out(job: Job, piece: Piece, watcher: Watcher) -> PieceDone:
    began = time.monotonic()
    try:
        said = piece.run(lambda text: watcher.said(job, text))
    except Interrupted:
        raise
    except ProvisionError as error:
        return PieceDone(piece.what, "", time.monotonic() - began, error)
    return PieceDone(piece.what, said, time.monotonic() - began)


class JobStanding(NamedTuple):
    """How a job stands: by whom it is run of itself (empty: by nobody that we know of), its last run, its failures.

    `failures` counts those of the last runs that are kept. `needs` says why somebody is needed.
    """

    job: Job
    scheduler: str
    installed: tuple[Installed, ...]
    last: JobRun | None
    failures: int
    overdue: bool = False

    @property
    def needs(self) -> str:
        if self.overdue and self.last is not None and self.last.state is RunState.DONE:
            return f"is overdue: its last run was {self.last.began:%Y-%m-%d %H:%M}"
        if self.last is None or self.last.state in (RunState.DONE, RunState.RUNNING):
            return "is switched off in pg_cron" if any(not each.active for each in self.installed) else ""
        return "failed" if self.last.state is RunState.FAILED else "was cut short"


def standings(jobs: Sequence[Job], upkeeps: Mapping[str, Upkeep]) -> list[JobStanding]:
    """How each job stands, in their order. Reads only."""
    runs, installed = dict[str, list[JobRun]](), dict[str, list[Installed]]()
    for store, upkeep in upkeeps.items():
        scheduler = upkeep.scheduler
        for each in scheduler.installed() if scheduler is not None else ():
            installed.setdefault(f"{store}/{_job_of(each.name)}", []).append(each)
        theirs = scheduler.runs(KEPT) if scheduler is not None else ()
        for run in (*upkeep.runs(KEPT), *theirs):
            runs.setdefault(f"{store}/{_job_of(run.job)}", []).append(run)
    return [
        _standing(job, runs.get(f"{job.store}/{job.name}", []), installed.get(f"{job.store}/{job.name}", []))
        for job in jobs
    ]


def _standing(job: Job, runs: Sequence[JobRun], installed: Sequence[Installed]) -> JobStanding:
    newest = sorted(runs, key=lambda each: each.began, reverse=True)
    failures = sum(each.state in (RunState.FAILED, RunState.CUT_SHORT) for each in newest)
    # Of a job of several statements the last run of each counts: the one that failed stands for all.
    by_statement: dict[str, JobRun] = {}
    for each in newest:
        by_statement.setdefault(each.job, each)
    whole = by_statement.get(job.name)
    last = [each for each in by_statement.values() if whole is None or each.began >= whole.began]
    bad = [each for each in last if each.state in (RunState.FAILED, RunState.CUT_SHORT)]
    shown = next(iter(bad or last), None)
    late = bool(newest) and schedule.overdue(job.schedule, newest[0].began, datetime.now(UTC))
    return JobStanding(job, "pg_cron" if installed else "", tuple(installed), shown, failures, late)


def _job_of(name: str) -> str:
    """The job of an installed one, `refresh/2`."""
    return name.split("/", 1)[0]


class Changes(NamedTuple):
    """What an install did to a scheduler: names of what it put there anew, changed, left as it was, took away."""

    store: str
    made: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def wanted(job: Job, tasks: Sequence[Task]) -> list[Installed]:
    """A job as a scheduler of a server has it: a statement each, a minute apart."""
    return [
        Installed(f"{job.name}/{number}", schedule.cron(schedule.later(job.schedule, number - 1)), task.statement)
        for number, task in enumerate(tasks, 1)
    ]


def install(store: str, scheduler: Scheduler, jobs: Sequence[Installed]) -> Changes:
    """Make the scheduler's jobs of this project those, and no others. One that is switched off stays so.

    Raises ConfigError (not-allowed).
    """
    there = {each.name: each for each in scheduler.installed()}
    made, changed, kept = list[str](), list[str](), list[str]()
    for each in jobs:
        before = there.pop(each.name, None)
        if before is not None and before._replace(active=True) == each:
            kept.append(each.name)
            continue
        scheduler.put(each)
        (made if before is None else changed).append(each.name)
    for name in there:
        scheduler.remove(name)
    return Changes(store, tuple(made), tuple(changed), tuple(kept), tuple(there))
