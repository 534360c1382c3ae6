"""The migration files of a project: read in order, described, and begun. Reaches no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from provision import kinds, settings
from provision.core import source
from provision.core.graph import Graph
from provision.errors import ConfigError
from provision.flows.connect import build_all, known_stores, placed
from provision.flows.start import begin
from provision.model import Plan
from provision.model.statements import Description
from provision.ports import Store
from provision.ports.kind import Draft


def on_disk(project: settings.ProjectFile, only: Sequence[str] = ()) -> tuple[dict[str, Store], Graph]:
    """All stores, none connected, and all files. Raises ConfigError (unknown-store, what is wrong in the files)."""
    known_stores(project, frozenset(only))
    made = build_all(project.stores, kinds.build)
    return {store.name: store for store in made}, source.read(made, project.many_heads)


def stores(project: settings.ProjectFile, environment: settings.Environment) -> dict[str, Store]:
    """All stores as the environment has them, none connected. Raises ConfigError (missing-extra)."""
    return {each.name: each for each in build_all(placed(project, environment), kinds.build)}


def described(plan: Plan, known: Mapping[str, Store]) -> list[Description]:
    """What each step does, statement by statement, in the order of the plan."""
    found = {each.step.id: each for name, store in known.items() for each in store.describe(plan.lane(name))}
    return [found[step.id] for step in plan.steps]


def new(project: settings.ProjectFile, store: str, message: str, requires: Sequence[str]) -> Sequence[Path]:
    """Write the next migration file of a store; raises as `provision.flows.start.begin`."""
    return begin(project, kinds.build, _draft, store, message, requires)


def _draft(kind: str) -> Draft:
    found = kinds.named(kind, "new").draft()
    if found is None:
        fix = "write the file by hand, as the other files of that store are named"
        raise ConfigError("no-draft", f"`new` writes no migrations of kind {kind}", where="new", fix=fix)
    return found
