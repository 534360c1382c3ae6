"""Makes the checks that were asked for: suites read, stores reached, results kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from provision import process, settings
from provision.errors import CapabilityMissing
from provision.flows.validate import Validation, ValidationRequest, new_run, stores_of, validate
from provision.model.checks import Scope, Status, StoredResult, Suite
from provision.ports.validate import History
from provision.wiring import sites, suites


def validated(
    project: settings.ProjectFile,
    environment: settings.Environment,
    names: Sequence[str],
    only: Sequence[str],
    scope: Scope,
    samples: int,
    *,
    keep: bool = True,
    trends: bool = False,
    tags: Sequence[str] = (),
    since_last: bool = False,
    compare: bool = False,
) -> tuple[Validation, Sequence[StoredResult]]:
    """What the checks found, with every secret masked; with `trends` also what earlier runs did.

    `names` are suites, all of them where none is named, `only` patterns of names of checks, `tags` those that a check
    must have one of. `since_last`: of the rows that are later than the last run of each suite; `compare`: with figures
    of the run before. Raises ConfigError, CapabilityMissing where that is not known, UnreachableError.
    """
    vocabularies = suites.Vocabularies(project)
    wanted = suites.tagged(suites.only(suites.read(project, names, vocabularies), only), tags)
    made_by = vocabularies.made_by
    home = frozenset({project.home}) - {"none"} if keep else frozenset[str]()
    with sites.lent(project, environment, wanted=stores_of(wanted, made_by) | home) as needed:
        keeper = needed.stores[project.home].history if home & needed.stores.keys() else None
        if since_last:
            scope = replace(scope, since=_last(keeper, project.home, wanted, scope, environment))
        wanted, notes = suites.narrowed(wanted, scope, needed, made_by)
        if since_last:
            notes += (_last_told(scope),)
        run = new_run(environment.name, scope, process.owner(os.environ).actor)
        found = validate(ValidationRequest(wanted, scope, run, samples, compare), needed.stores, made_by, keeper)
        earlier = [kept for each in wanted for kept in keeper.read(each.name)] if trends and keeper else []
        if keeper is None and keep:
            why = needed.lost[project.home].what if project.home in needed.lost else "no home store here could"
            notes += (f"results are not kept: {why}",)
    notes += found.notes
    hidden = tuple(replace(each, message=environment.mask(each.message)) for each in found.results)
    return replace(found, results=hidden, notes=tuple(map(environment.mask, notes))), earlier


def _last(
    keeper: History | None, home: str, wanted: Sequence[Suite], scope: Scope, environment: settings.Environment
) -> datetime | None:
    """When the last run began that looked at all of these suites over these rows, or over all; None where none did.

    A run counts for a suite when each of its checks could be made. Raises CapabilityMissing.
    """
    if keeper is None:
        what = "--since last goes by the results that the home store keeps, and there are none"
        raise CapabilityMissing(home, "history", what, "name a moment, or leave out --no-history")
    begun: list[datetime] = []
    for suite in wanted:
        runs: dict[str, list[StoredResult]] = {}
        for each in keeper.read(suite.name):
            if each.run.environment == environment.name and each.run.scope in ("", scope.label):
                runs.setdefault(each.run.id, []).append(each)
        whole = (run[0].run.at for run in runs.values() if all(it.result.status is not Status.ERROR for it in run))
        last = next(whole, None)
        if last is None:
            return None
        begun.append(last)
    return min(begun, default=None)


def _last_told(scope: Scope) -> str:
    if scope.since is None:
        return "since last: no earlier run of all these suites is kept, so that all rows were read"
    return f"since last: rows from {scope.since:%Y-%m-%d %H:%M:%S} UTC on"


def kept(
    project: settings.ProjectFile,
    environment: settings.Environment,
    suite: str | None,
    check: str | None,
    since: datetime | None,
    limit: int,
) -> Sequence[StoredResult]:
    """What earlier runs in this environment found, oldest first, of one suite or check where it is named.

    Raises CapabilityMissing, ConfigError, UnreachableError.
    """
    home = frozenset({project.home})
    with sites.lent(project, environment, wanted=home) as needed:
        keeper = needed.stores[project.home].history if project.home in needed.stores else None
        if keeper is None:
            if project.home in needed.lost:
                raise needed.lost[project.home]
            what, fix = "results of checks are kept in the home store", "name another store in [project] home"
            raise CapabilityMissing(project.home, "history", what, fix)
        needed.stores[project.home].ledger.read()  # refuses what a newer release wrote
        found = keeper.read(suite, check, since, limit)
        return [each for each in reversed(found) if each.run.environment == environment.name]
