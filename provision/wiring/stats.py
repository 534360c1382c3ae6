"""Takes the statistics of an environment, keeps them in a file, and reads such files again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from provision import kinds, settings
from provision.errors import CapabilityMissing, ConfigError
from provision.flows.connect import placed, together
from provision.flows.look import ProjectStatus
from provision.model import StateName, StoreOptions
from provision.model.stats import EnvironmentStats, StoreStats, TableStats
from provision.text.written import NAMED_BY_THE_USER, writing
from provision.wiring import local_engines

FORM = 1


def taken(
    project: settings.ProjectFile, environment: settings.Environment, stores: Iterable[str]
) -> tuple[Mapping[str, StoreStats], Mapping[str, str]]:
    """What each of the stores holds, all looked at together; and why of those that do not tell.

    Raises ConfigError and UnreachableError, for all of them together.
    """
    wanted = [each for each in placed(project, environment) if each.name in set(stores)]

    def one(options: StoreOptions) -> tuple[str, StoreStats | str]:
        reader = kinds.named(options.kind, options.name).stats()
        if reader is None:
            return options.name, f"stores of kind {options.kind} tell nothing"
        try:
            return options.name, reader.measured(options, local_engines.url(project, environment, options.name))
        except CapabilityMissing as error:
            return options.name, error.what

    found = dict(together(wanted, one))
    told = {name: each for name, each in found.items() if isinstance(each, StoreStats)}
    return told, {name: each for name, each in found.items() if isinstance(each, str)}


def applied(status: ProjectStatus) -> dict[str, int | None]:
    """Revision → the milliseconds that its way up took, by the ledgers; None where nobody ran it."""
    every = (each for of in status.standings.values() for each in of.standings.values())
    return {each.id: each.state.duration_ms or None for each in every if each.state.name is StateName.APPLIED}


def as_json(found: EnvironmentStats) -> dict[str, Any]:
    """The document of `provision stats`."""
    return {
        "form": FORM,
        "project": found.project,
        "environment": found.environment,
        "at": found.at,
        "stores": {
            name: {"fixed_ms": each.fixed_ms, "tables": {table: one._asdict() for table, one in each.tables.items()}}
            for name, each in found.stores.items()
        },
        "applied": dict(found.applied),
        "not_told": dict(found.not_told),
    }


def write(path: Path, found: EnvironmentStats) -> None:
    """Keep it. Raises ConfigError (unwritable-file)."""
    with writing("the statistics", path, NAMED_BY_THE_USER):
        path.write_text(json.dumps(as_json(found), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> EnvironmentStats:
    """What such a file says. Raises ConfigError (bad-statistics)."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        if told["form"] != FORM:
            raise ValueError(f"its form is {told['form']}, this release knows {FORM}")
        stores = {
            str(name): StoreStats({str(one): TableStats(**each) for one, each in of["tables"].items()}, of["fixed_ms"])
            for name, of in told["stores"].items()
        }
        project, environment, at = (str(told[key]) for key in ("project", "environment", "at"))
        return EnvironmentStats(project, environment, at, stores, dict(told["applied"]), dict(told["not_told"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"the statistics cannot be read: {error}"
        fix = "write them anew: `provision stats --env NAME --out FILE`"
        raise ConfigError("bad-statistics", what, where=str(path), fix=fix) from None
