"""Reaches the servers whose settings are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from provision import kinds, settings
from provision.errors import CapabilityMissing, ConfigError
from provision.flows.connect import known_stores
from provision.flows.tune import NO_TUNING
from provision.ports.tune import Tunable, Tuning
from provision.wiring import sites


@contextmanager
def placed(
    project: settings.ProjectFile, chosen: settings.Environment, names: Sequence[str]
) -> Iterator[Mapping[str, Tuning]]:
    """The tuning of these stores, or of every one that has some, by name, while the block runs.

    Raises ConfigError (unknown-store, store-off, capability-missing, not-made, …) and UnreachableError.
    """
    known_stores(project, frozenset(names))
    able = [each.name for each in project.stores if kinds.named(each.kind, each.name).has("tune.settings")]
    with sites.lent(project, chosen, frozenset(names or able)) as needed:
        for name in sorted(needed.off & frozenset(names)):
            where = f"{project.file.name}, [environments.{chosen.name}]"
            what = f"{name} is off in environment {chosen.name}"
            raise ConfigError("store-off", what, where=where, fix="choose another environment")
        for name, store in needed.stores.items():
            if not isinstance(store, Tunable):
                raise CapabilityMissing.of_kind(name, store.kind, "settings", NO_TUNING)
        yield {name: each.tuning for name, each in needed.stores.items() if isinstance(each, Tunable)}
