"""Reaches the stores that a command needs, and no other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from provision.core.graph import Graph
from provision.errors import ConfigError, ProvisionError, raise_all
from provision.flows.connect import Access, Build, Engines, Reach, Reached, build_all, placed, reach, together
from provision.ports import Store
from provision.settings import Environment, ProjectFile


@dataclass(frozen=True, slots=True)
class ReachedStores:
    """The stores that answer, by name; `off` are those that the environment switches off, `lost` why others are not."""

    stores: Mapping[str, Store] = field(default_factory=dict)
    off: frozenset[str] = frozenset()
    lost: Mapping[str, ProvisionError] = field(default_factory=dict)


@contextmanager
def reached(
    project: ProjectFile,
    environment: Environment,
    build: Build,
    engines: Engines,
    names: frozenset[str],
    wanted: frozenset[str],
) -> Iterator[ReachedStores]:
    """Lend the stores called `names`, and of those called `wanted` the ones that answer. Makes no embedded engine.

    Raises ConfigError (not-made, store-not-configured, …) and UnreachableError, all together.
    """
    kept = tuple(each for each in project.stores if each.name in names | wanted)
    stores = build_all(placed(replace(project, stores=kept), environment), build)
    nothing = Graph(())
    found = together(stores, lambda store: reach(store, project, environment, engines, Access.READ, nothing))
    try:
        lost = {each.store.name: error for each in found if (error := _lost(each, environment)) is not None}
        raise_all([error for name, error in lost.items() if name in names])
        yield ReachedStores(
            {each.store.name: each.store for each in found if each.reach is Reach.READY},
            frozenset(each.store.name for each in found if each.reach is Reach.OFF),
            lost,
        )
    finally:
        for store in stores:
            store.close()


def _lost(each: Reached, environment: Environment) -> ProvisionError | None:
    if each.error is not None or each.reach in (Reach.READY, Reach.OFF):
        return each.error
    if each.reach is Reach.ABSENT:
        return ConfigError(
            "not-made",
            f"{each.store.name} was not made yet in environment {environment.name}",
            where=each.place,
            fix=f"`provision up --env {environment.name}` makes it",
        )
    return ConfigError(
        "store-not-configured",
        f"{each.store.name} has no url in environment {environment.name}",
        where=environment.name,
        fix=f'set {each.store.name}.url; "off" leaves the store out',
    )
