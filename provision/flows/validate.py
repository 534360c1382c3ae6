"""Makes the checks of suites on live stores, all stores at once, and keeps what they found in the home store."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

from provision.errors import CapabilityMissing, FailedError, ProvisionError, UnreachableError, raise_all
from provision.flows.connect import together
from provision.model.checks import (
    MIN_ROWS,
    ROWS,
    UNSAID,
    Check,
    CheckSeverity,
    Result,
    Row,
    Scope,
    Status,
    StoredResult,
    Suite,
    Table,
    Tally,
    ValidationRun,
)
from provision.ports import Store
from provision.ports.validate import Checks, History
from provision.validate import verdict
from provision.validate.across import Across, CheckContext
from provision.validate.compared import beside_before
from provision.validate.kinds import made_across

MadeBy = Callable[[str], Collection[str]]
"""Store → the kinds of check that it makes itself."""
HISTORY_RUNS = 30
NO_CHECKS = "take its tables out of the suites"


@dataclass(frozen=True, slots=True)
class ValidationRequest:
    """What to look at and how; `samples` is the most bad rows shown of one check.

    `compare`: say beside the figures of a check what those of the run before were.
    """

    suites: tuple[Suite, ...]
    scope: Scope
    run: ValidationRun
    samples: int = 5
    compare: bool = False


@dataclass(frozen=True, slots=True)
class Validation:
    """What one run found. `notes` are for people: tables left out, results not kept."""

    run: ValidationRun
    suites: tuple[Suite, ...]
    results: tuple[Result, ...]
    duration_ms: int = 0
    notes: tuple[str, ...] = ()
    fail_on: CheckSeverity = UNSAID

    def fails(self, at_least: CheckSeverity | None = None) -> bool:
        """Whether a check that matters at least so much (else `fail_on`) failed, or any could not be made."""
        level = at_least or self.fail_on
        return any(verdict.fails_run(each, level) for each in self.results)

    def fails_run(self, result: Result) -> bool:
        """Whether one result is enough for that."""
        return verdict.fails_run(result, self.fail_on)

    def of(self, suite: str) -> tuple[Result, ...]:
        return tuple(each for each in self.results if each.suite == suite)


@dataclass(frozen=True, slots=True)
class _Job:
    """One table of one suite: the checks its store makes, and those made across stores, in the document's order."""

    suite: Suite
    table: Table
    across: Mapping[str, Across] = field(default_factory=dict)

    @property
    def own(self) -> Table:
        kept = tuple(each for each in self.table.checks if each.name not in self.across)
        return replace(self.table, checks=kept)


def new_run(environment: str, scope: Scope, actor: str) -> ValidationRun:
    at = datetime.now(UTC)
    return ValidationRun(f"{at:%Y%m%dT%H%M%S%f}-{uuid4().hex[:6]}", at, environment, scope.label, actor)


def stores_of(suites: Sequence[Suite], made_by: MadeBy) -> frozenset[str]:
    """The names of every store that the suites need."""
    jobs = list(_jobs(suites, made_by))
    others = {
        store
        for job in jobs
        for check in job.table.checks
        if check.name in job.across
        for store in job.across[check.name].stores(check, job.table)
    }
    return frozenset({job.table.store for job in jobs} | others)


def validate(
    asked: ValidationRequest, stores: Mapping[str, Store], made_by: MadeBy, history: History | None
) -> Validation:
    """Ask the engines about every check first, then make them all.

    Raises ConfigError for everything that the engines refuse, together, and UnreachableError.
    """
    jobs = list(_jobs(asked.suites, made_by))
    checks = {name: _checks(store) for name, store in stores.items()}
    earlier, notes = _earlier(history, asked)
    world = CheckContext(
        checks,
        lambda table, check: [kept.total for kept in _before(earlier, table, check, asked.run)],
        lambda table, check: [kept.figures for kept in _before(earlier, table, check, asked.run) if kept.figures],
    )
    by_store = [[job for job in jobs if job.table.store == name] for name in checks]
    together(by_store, lambda mine: raise_all([error for job in mine for error in _refused(job, checks)]))
    # A store works for one thread at a time, and these ask two.
    raise_all([error for job in jobs for error in _refused_across(job, world)])
    made = [pair for mine in together(by_store, lambda mine: _all_of(mine, asked, checks)) for pair in mine]
    results = list(_in_order(jobs, dict(made), asked, world))
    compared = tuple(replace(each, new=_is_new(each, earlier, asked.run)) for each in results)
    if asked.compare:
        compared = tuple(beside_before(each, _figures(earlier, each, asked.run)) for each in compared)
    notes += _keep(history, asked.run, compared)
    taken = round((datetime.now(UTC) - asked.run.at).total_seconds() * 1000)
    return Validation(asked.run, asked.suites, compared, taken, notes)


def _refused(job: _Job, checks: Mapping[str, Checks]) -> Sequence[ProvisionError]:
    return checks[job.table.store].refused(job.own)


def _refused_across(job: _Job, world: CheckContext) -> Iterator[ProvisionError]:
    for check in job.table.checks:
        if check.name in job.across:
            yield from job.across[check.name].refused(check, job.table, world)


def _jobs(suites: Sequence[Suite], made_by: MadeBy) -> Iterator[_Job]:
    for suite in suites:
        for table in suite.tables:
            kinds = made_by(table.store)
            made = {check.name: made_across(check, table, kinds) for check in table.checks}
            yield _Job(suite, table, {name: across for name, across in made.items() if across is not None})


def _checks(store: Store) -> Checks:
    if store.checks is None:
        raise CapabilityMissing.of_kind(store.name, store.kind, "checks", NO_CHECKS)
    return store.checks


_Made = dict[str, Result]
"""Results of the checks that a table's own store made, by name; that of the table itself is called `rows`."""


def _all_of(jobs: Sequence[_Job], asked: ValidationRequest, checks: Mapping[str, Checks]) -> list[tuple[int, _Made]]:
    return [(id(job), _own(job, asked, checks[job.table.store])) for job in jobs]


def _own(job: _Job, asked: ValidationRequest, checks: Checks) -> _Made:
    """The results of the checks that the table's own store makes."""
    table, found = job.own, dict[str, Result]()
    try:
        whole, *tallies = checks.tally(table, asked.scope)
    except UnreachableError:
        raise
    except FailedError as error:
        return _one_by_one(job, asked, checks, error)
    found[ROWS] = verdict.enough_rows(job.suite, job.table, whole)
    for check, tally in zip(table.checks, tallies, strict=True):
        found[check.name] = _judged(job, check, tally, asked, checks)
    return found


def _judged(job: _Job, check: Check, tally: Tally, asked: ValidationRequest, checks: Checks) -> Result:
    status, _ = verdict.status(check, tally)
    samples: tuple[Row, ...] = ()
    if tally.bad and status is not Status.PASS:
        try:
            samples = tuple(checks.samples(job.table, check, asked.scope, asked.samples)) if asked.samples else ()
        except UnreachableError:
            raise
        except FailedError as error:
            tally = replace(tally, message=f"{tally.message}; no samples: {error.what}".removeprefix("; "))
    return verdict.result(job.suite, job.table, check, tally, samples)


def _one_by_one(job: _Job, asked: ValidationRequest, checks: Checks, error: FailedError) -> _Made:
    """After a scan that failed: each check alone, so that one that cannot be made takes no other with it."""
    own = job.own
    if error.code == "check-timeout" or len(own.checks) < 2:  # again would take as long again
        return {check.name: verdict.failed(job.suite, own, check, error.what) for check in own.checks} | {
            ROWS: verdict.failed(job.suite, own, Check(ROWS, MIN_ROWS, {}, owner=own.owner, tags=own.tags), error.what)
        }
    found: _Made = {}
    for check in own.checks:
        alone = _Job(job.suite, replace(own, checks=(check,)))
        found |= {name: each for name, each in _own(alone, asked, checks).items() if name not in found}
    rows = _own(_Job(job.suite, replace(own, checks=())), asked, checks)
    return found | rows


def _in_order(
    jobs: Sequence[_Job], made: Mapping[int, _Made], asked: ValidationRequest, world: CheckContext
) -> Iterator[Result]:
    """Every result in the order of the documents; those across stores are made here, when all stores are at rest."""
    for suite in asked.suites:
        found: list[Result] = []
        for job in jobs:
            if job.suite is suite:
                found += _of_table(job, made[id(job)], asked, world)
        yield from found
        if (nothing := verdict.nothing_read(suite, found)) is not None:
            yield nothing


def _of_table(job: _Job, made: _Made, asked: ValidationRequest, world: CheckContext) -> Iterator[Result]:
    rows = made[ROWS]
    yield rows
    for check in job.table.checks:
        if check.name not in job.across:
            yield made[check.name]
            continue
        try:
            across = job.across[check.name]
            found = across.find(check, job.table, asked.scope, world, rows.total, asked.samples)
        except UnreachableError:
            raise
        except (FailedError, CapabilityMissing) as error:
            yield verdict.failed(job.suite, job.table, check, error.what)
        else:
            yield verdict.result(job.suite, job.table, check, found.tally, found.samples)


def _earlier(history: History | None, asked: ValidationRequest) -> tuple[list[StoredResult], tuple[str, ...]]:
    """What earlier runs kept of these suites, newest first, and why there is nothing."""
    if history is None:
        return [], ()
    count = HISTORY_RUNS * sum(len(table.checks) + 2 for suite in asked.suites for table in suite.tables)
    try:
        return [kept for suite in asked.suites for kept in history.read(suite.name, limit=count)], ()
    except ProvisionError as error:
        return [], (f"earlier results cannot be read: {error.what}",)


def _keep(history: History | None, run: ValidationRun, results: Sequence[Result]) -> tuple[str, ...]:
    if history is None:
        return ()
    try:
        history.create()
        history.add(run, results)
    except ProvisionError as error:
        return (f"results were not kept: {error.what}",)
    return ()


def _same(kept: StoredResult, result: Result, run: ValidationRun) -> bool:
    was = kept.result
    alike = (was.check, was.store, was.table, was.suite) == (result.check, result.store, result.table, result.suite)
    return alike and (kept.run.scope, kept.run.environment) == (run.scope, run.environment)


def _is_new(result: Result, earlier: Sequence[StoredResult], run: ValidationRun) -> bool | None:
    last = next((kept for kept in earlier if _same(kept, result, run)), None)
    if last is None:
        return None
    if result.status is Status.EMPTY:
        return last.result.status is Status.PASS
    return result.status is not Status.PASS and last.result.status in (Status.PASS, Status.EMPTY)


def _figures(earlier: Sequence[StoredResult], result: Result, run: ValidationRun) -> Mapping[str, float]:
    """Those of the last run that had some; none where none had."""
    kept = (each.result.figures for each in earlier if _same(each, result, run))
    return next((each for each in kept if each), {})


def _before(earlier: Sequence[StoredResult], table: Table, check: Check, run: ValidationRun) -> list[Result]:
    """What a check came to in earlier runs over the same rows, newest first."""
    return [
        kept.result
        for kept in earlier
        if (kept.result.check, kept.result.store, kept.result.table) == (check.name, table.store, table.name)
        and (kept.run.scope, kept.run.environment) == (run.scope, run.environment)
        and kept.result.status is not Status.ERROR
    ]
