"""Finds the jobs that a command line names, reaches their stores, and puts their pieces together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from provision import kinds, settings
from provision.errors import CapabilityMissing, ConfigError, ProvisionError, raise_all
from provision.flows.connect import known_stores
from provision.flows.maintain import NO_JOBS, Changes, JobPlan, Piece, install, wanted
from provision.maintain import document as documents
from provision.model.maintain import Installed, Job, Task
from provision.model.partitions import PartitionSet
from provision.ports import Store
from provision.ports.maintain import Maintained, Say, Upkeep
from provision.text.nearest import near
from provision.wiring import sites

if TYPE_CHECKING:
    from provision.backfill.workers import StopEvent


WAIT = 600.0  # seconds that a statement waits for others where nothing else is asked


def read(project: settings.ProjectFile, names: Sequence[str] = ()) -> tuple[Job, ...]:
    """The named jobs, or all of the project. Raises ConfigError for everything that is wrong in the file."""
    jobs = documents.read(project.root / documents.FILE, lambda store: _kinds(project, store))
    known = [each.name for each in jobs]
    for name in names:
        if name not in known:
            fix = near(name, known, "known")
            raise ConfigError("unknown-job", f"no job is called {name}", where=documents.FILE, fix=fix)
    return tuple(each for each in jobs if not names or each.name in names)


def schema() -> dict[str, Any]:
    """The JSON Schema of maintain.yaml, of whatever kind its stores are."""
    parts = [part for kind in kinds.every() if (part := kind.job_kinds()) is not None]
    return documents.schema({**{key: each for part in parts for key, each in part.KINDS.items()}, **documents.OF_ALL})


def _kinds(project: settings.ProjectFile, store: str) -> Mapping[str, Mapping[str, Any]]:
    known_stores(project, frozenset({store}))
    part = kinds.named(next(each.kind for each in project.stores if each.name == store), store).job_kinds()
    return part.KINDS if part is not None else {}


def _knows_jobs(kind: str, store: str) -> bool:
    return kinds.named(kind, store).has("maintain.keys")


@dataclass(frozen=True, slots=True)
class Place:
    """The open stores of jobs, in an environment."""

    project: settings.ProjectFile
    environment: settings.Environment
    stores: Mapping[str, Store]

    @property
    def upkeeps(self) -> Mapping[str, Upkeep]:
        return {name: each.upkeep for name, each in self.stores.items() if isinstance(each, Maintained)}


@contextmanager
def placed(
    project: settings.ProjectFile, chosen: settings.Environment, jobs: Sequence[Job], *, every: bool = False
) -> Iterator[tuple[Place, Sequence[Job]]]:
    """Where these jobs are run while the block runs, and those whose store the environment does not switch off.

    `every`: also the other stores that could have jobs, where they answer. Raises ConfigError (not-made, …) and
    UnreachableError, all together.
    """
    names = frozenset(each.store for each in jobs)
    others = frozenset(each.name for each in project.stores if every and _knows_jobs(each.kind, each.name))
    with sites.lent(project, chosen, names, others) as needed:
        yield Place(project, chosen, needed.stores), [each for each in jobs if each.store in needed.stores]


def plans(place: Place, jobs: Sequence[Job], stopped: StopEvent, wait: float = WAIT) -> Iterator[JobPlan]:
    """Each job with its pieces, as its turn comes: what the one before it did counts. Each statement waits for others
    so many seconds.

    Or what stands against it: one that cannot be begun does not stop the others.
    """
    return (_plan(place, each, stopped, wait) for each in jobs)


def _plan(place: Place, job: Job, stopped: StopEvent, wait: float) -> JobPlan:
    upkeep = place.upkeeps.get(job.store)
    try:
        if job.kind == "partitions":
            return JobPlan(job, _windows(place, job), upkeep)
        if job.kind == "backfill":
            return JobPlan(job, [_repair(place, job, stopped, wait)], upkeep)
        if upkeep is None:
            raise CapabilityMissing.of_kind(job.store, place.stores[job.store].kind, "jobs", NO_JOBS)
        do = upkeep.carry_out

        def piece(task: Task) -> Piece:
            return Piece(task.what, lambda say: do(job, task, say, wait))

        pieces = [piece(task) for task in upkeep.tasks(job)]
        return JobPlan(job, pieces, upkeep)
    except ProvisionError as error:
        return JobPlan(job, error=error)


def _windows(place: Place, job: Job) -> list[Piece]:
    """A piece for each document of the store, so that one table's failure leaves the others."""
    from provision.flows import partitions as flow
    from provision.wiring import partitions

    mine = [each for each in partitions.read(place.project) if each.store == job.store]
    if not mine:
        what = f"{job.name} keeps windows, and no document of partitions/ is of {job.store}"
        raise ConfigError("bad-job", what, where=job.shown, fix="describe a table in partitions/, or take the job out")
    parts = partitions.parts_of(place.stores)

    do, verb = {
        "ensure": (flow.ensure, "made"),
        "merge": (flow.merge, "merged into"),
        "retire": (flow.retire, "retired"),
    }[job.body]

    # Each is looked at alone when its turn comes, and would not see another document of its table then.
    doubled = {each.wanted.name: each.error for each in flow.standings(mine, parts) if each.doubled}

    def keep(each: PartitionSet, say: Say) -> str:
        if (error := doubled.get(each.name)) is not None:
            raise error
        found = flow.standings([each], parts, whole=job.body != "ensure")
        change = do(found, parts, lambda _name, text: say(text))[0]
        if change.error is not None:
            raise change.error
        count = len(change.names) if job.body == "ensure" else len(change.windows)
        return f"{verb} {count} window{'' if count == 1 else 's'}" if count else "nothing to do"

    return [Piece(f"{job.body} windows of {each.table}", partial(keep, each)) for each in mine]


def _repair(place: Place, job: Job, stopped: StopEvent, wait: float) -> Piece:
    from provision.flows import backfill as flow
    from provision.text.counts import rows_of
    from provision.wiring import backfills

    [chosen] = backfills.read(place.project, [job.body])
    if chosen.store != job.store:
        what = f"{job.name} is of {job.store}, and backfill {chosen.name} of {chosen.store}"
        raise ConfigError("bad-job", what, where=job.shown, fix=f"write store: {chosen.store}")

    def repair(say: Say) -> str:
        with backfills.placed(place.project, place.environment, [chosen], wait=wait) as there:
            run = flow.run(there, chosen, flow.BackfillRequest(noted=say, stopped=stopped))
        return f"filled {rows_of(run.rows_done)}"

    return Piece(f"backfill {chosen.name}", repair)


def scheduled(place: Place, jobs: Sequence[Job]) -> tuple[list[Changes], list[Job], dict[str, str]]:
    """Hand to the servers what they can run of themselves: what changed there, the jobs left for a timer, and, by
    store, why a server runs none.

    Every job is looked at before the first is handed over. Raises ConfigError for those that cannot be run.
    """
    schedulers = {name: each.scheduler for name, each in place.upkeeps.items() if each.scheduler is not None}
    missing = {name: reason for name, each in schedulers.items() if (reason := each.missing())}
    mine: dict[str, list[Installed]] = {name: [] for name in schedulers if name not in missing}
    left, wrong = list[Job](), list[ProvisionError]()
    for job in jobs:
        upkeep = place.upkeeps.get(job.store)
        try:
            tasks = upkeep.tasks(job) if upkeep is not None and job.kind not in documents.OF_ALL else ()
        except ProvisionError as error:
            wrong.append(error)
            continue
        if job.store in mine and tasks and all(each.fixed for each in tasks):
            mine[job.store] += wanted(job, tasks)
        else:
            left.append(job)
    raise_all(wrong)
    return [install(name, schedulers[name], each) for name, each in mine.items()], left, missing
