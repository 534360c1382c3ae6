"""Makes the checks that were asked for: suites read, stores reached, results kept."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from provision import process, settings
from provision.errors import CapabilityMissing
from provision.flows.validate import Validation, ValidationRequest, new_run, stores_of, validate
from provision.model.checks import Scope, StoredResult
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
) -> tuple[Validation, Sequence[StoredResult]]:
    """What the checks found, with every secret masked; with `trends` also what earlier runs did.

    `names` are suites, all of them where none is named, `only` patterns of names of checks. Raises ConfigError,
    UnreachableError.
    """
    vocabularies = suites.Vocabularies(project)
    wanted = suites.only(suites.read(project, names, vocabularies), only)
    made_by = vocabularies.made_by
    home = frozenset({project.home}) - {"none"} if keep else frozenset[str]()
    needs = stores_of(wanted, made_by) | home
    with sites.lent(project, environment, wanted=needs) as needed:
        wanted, notes = suites.narrowed(wanted, scope, needed, made_by)
        keeper = needed.stores[project.home].history if home & needed.stores.keys() else None
        run = new_run(environment.name, scope, process.owner(os.environ).actor)
        found = validate(ValidationRequest(wanted, scope, run, samples), needed.stores, made_by, keeper)
        earlier = [kept for each in wanted for kept in keeper.read(each.name)] if trends and keeper else []
        if keeper is None and keep:
            why = needed.lost[project.home].what if project.home in needed.lost else "no home store here could"
            notes += (f"results are not kept: {why}",)
    notes += found.notes
    hidden = tuple(replace(each, message=environment.mask(each.message)) for each in found.results)
    return replace(found, results=hidden, notes=tuple(map(environment.mask, notes))), earlier


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
