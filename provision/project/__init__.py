"""The library: a project in one of its environments, as the command line has it, without printing or exiting."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from provision import settings
from provision.errors import ConfigError
from provision.project.backfilling import Backfilling
from provision.project.branching import Branching
from provision.project.checking import Checking
from provision.project.maintaining import Maintaining
from provision.project.partitioning import Partitioning
from provision.project.rehearsing import Rehearsing
from provision.project.settling import Settling

__all__ = ["Project"]


class Project(Branching, Rehearsing, Settling, Backfilling, Checking, Partitioning, Maintaining):
    """One project in one environment; made by `open`, and never changed afterwards.

    Every method may be called from any thread, and from asyncio by `asyncio.to_thread`; each opens its own connections
    and gives them back, so that nothing is to be closed. Nothing is printed, no handler of signals is set, and the
    working directory does not matter. What goes wrong is raised as a ProvisionError with `code`, `what`, `where` and
    `fix`, known secrets replaced; the fixes speak of the command line.

    `only` takes names of stores, `wait` the seconds to wait for another run's lock, `run_lock=False` leaves it to the
    caller that nobody else runs. What a revision or env.py prints goes to standard error.
    """

    @classmethod
    def open(
        cls,
        path: str | Path = ".",
        env: str | None = None,
        *,
        variables: Mapping[str, str] = os.environ,
        wait_for: float = 0.0,
        engines: Path | None = None,
    ) -> Project:
        """Read the provision.toml of `path`, or of the nearest folder above; reaches no database.

        `env` is the name of an environment, else that of the variable PROVISION_ENV, else the only one there is.
        `variables` stands in the place of the process's environment for all that provision.toml takes from there.
        `wait_for` is how many seconds is waited for servers that do not answer yet, but not by `doctor`, backfills and
        checks. `engines` is where an embedded environment keeps its engines, if not in `.provision` of the project.

        Raises ConfigError (no-project, toml-invalid, environment-not-named, unknown-environment, unset-variable, …).
        """
        found = settings.load(Path(path).resolve(), variables)
        name = env or variables.get("PROVISION_ENV") or _only_one(found)
        settings.choose(found, name, terminal=False, variables=variables)
        found = replace(found, engines=engines)
        return cls(found, settings.resolve(found, name, variables), variables, wait_for)


def _only_one(found: settings.ProjectFile) -> str:
    names = list(found.environments)
    if len(names) == 1:
        return names[0]
    raise ConfigError(
        "environment-not-named",
        f"the project has {len(names)} environments, and none is named",
        where=f"{found.file.name} has {', '.join(names) or 'none'}",
        fix="Project.open(…, env=NAME), or set PROVISION_ENV",
    )
