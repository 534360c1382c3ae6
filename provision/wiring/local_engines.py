"""The embedded engines of a project, and the urls of its stores."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from provision import embedded, kinds, settings
from provision.embedded import Engine, EngineStatus
from provision.embedded.programs import missing
from provision.errors import ConfigError
from provision.flows.connect import known_stores
from provision.settings import Environment, ProjectFile


def every(project: ProjectFile) -> dict[str, Engine]:
    """Store → its engine, used by an environment or not; of the stores whose kind has one."""
    return {
        each.name: embedded.engine(name, each.name, project.local)
        for each in project.stores
        if (name := kinds.engine_of(each))
    }


def made(project: ProjectFile, named: Iterable[str]) -> dict[str, Engine]:
    """Those of the named stores, of all where none is named: one that was made once can be ended.

    Raises ConfigError (unknown-store).
    """
    wanted = frozenset(named)
    known_stores(project, wanted)
    return {name: engine for name, engine in every(project).items() if not wanted or name in wanted}


def used(
    project: ProjectFile, environment: str, named: Iterable[str], variables: Mapping[str, str] = os.environ
) -> list[tuple[EngineStatus, Engine]]:
    """The engines that this environment uses: of stores that it neither gives a url nor switches off.

    One whose program is not on PATH is used only where it is named. Raises ConfigError (unknown-store).
    """
    wanted = frozenset(named)
    known_stores(project, wanted)
    return [
        (status, engine)
        for name, engine in every(project).items()
        if (name in wanted or not wanted) and settings.leaves_to_engine(project, environment, name, variables)
        if (status := engine.status()).state == "running" or name in wanted or not missing(status.kind)
    ]


def all_have_one(project: ProjectFile, environment: str, named: Iterable[str], having: Sequence[str]) -> None:
    """Raises ConfigError (no-engine) for a named store that is not among those `having` one."""
    for name in sorted(set(named) - set(having)):
        others = [each.store for each, _ in used(project, environment, ())]
        raise ConfigError(
            "no-engine",
            f"{name} has no embedded engine in environment {environment}",
            where=str(project.file),
            fix=f"stores with one: {', '.join(others) or 'none'}",
        )


def url(project: ProjectFile, environment: Environment, store: str) -> str:
    """The url of a store, password included; makes and starts the embedded engine where the environment has one.

    Raises ConfigError (unknown-store, store-off, no-url) and what the engine raises when it does not start.
    """
    options_of = {each.name: each for each in project.stores}
    if store not in options_of:
        what, fix = f"no store is called {store!r}", f"known: {', '.join(options_of)}"
        raise ConfigError("unknown-store", what, where=project.file.name, fix=fix)
    place = environment.places[store]
    if place.url is not None:
        return place.url.reveal()
    if environment.embedded and not place.off and (name := kinds.engine_of(options_of[store])):
        running = embedded.engine(name, store, project.local).start()
        if running.url is not None:
            return running.url
    raise ConfigError(
        "store-off" if place.off else "no-url",
        f"{store} is switched off" if place.off else f"{store} has no url",
        where=f"{project.file.name}, [environments.{environment.name}]",
        fix=f"set {store}.url there, or choose another environment with PROVISION_ENV",
    )
