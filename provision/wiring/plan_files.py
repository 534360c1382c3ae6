"""What a saved plan says besides its steps: statements, locks, and the objects that it touches as they are now."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from provision import kinds
from provision.errors import ConfigError, RefusedError
from provision.flows.connect import Reach, Site, placed
from provision.flows.plan_objects import digested, refuse_moved
from provision.flows.rules import Rules
from provision.model import Plan, Step
from provision.model.plans import ObjectDigests, PlannedStep, SavedPlan, TableLock
from provision.model.statements import Description
from provision.model.touches import Touched
from provision.ports import Locking
from provision.ports.kind import Objects
from provision.wiring import files, saved_plans, snapshots

UNREAD = "what its statements touch cannot be read here"


def saved(site: Site, plan: Plan, described: Sequence[Description]) -> SavedPlan:
    """The plan with all that a reviewer needs and all that must not move; secrets are hidden.

    `described` says of each step what it does and what it would lose. Raises UnreachableError, ConfigError.
    """
    stores = dict.fromkeys(step.revision.store for step in plan.steps)
    touched = {name: each for store in stores for name, each in _touched(site, store, _ids(plan, store)).items()}
    live = _live(site, stores)
    objects = {store: _objects(live.get(store, {}), [touched[id_] for id_ in _ids(plan, store)]) for store in stores}
    locks = _locks(site, plan)
    steps = tuple(_step(site, each, touched[each.step.id], locks.get(each.step.id)) for each in described)
    held = {each.step.id: each.waits_for for each in plan.held}
    return SavedPlan(site.project.name, site.environment.name, steps, held, plan.digest, plan.basis, objects)


def as_saved(site: Site, rules: Rules, file: Path) -> Rules:
    """The rules that let a saved plan run as it is, or not at all.

    Raises ConfigError (plan-invalid, plan-environment).
    """
    reviewed = saved_plans.read(file)
    plan = saved_plans.against(reviewed, file, site.graph, site.project.name, site.environment.name)
    return replace(rules, saved=plan, as_reviewed=partial(refuse_other, site, plan, reviewed))


def refuse_other(site: Site, plan: Plan, reviewed: SavedPlan) -> None:
    """Refuse a plan whose steps would run other statements than it shows, or touch what is not as it was.

    Raises RefusedError (stale-plan), UnreachableError.
    """
    shown = {each.id: each for each in reviewed.steps}
    for each in files.described(plan, site.known):
        if shown[each.step.id].statements != _masked(site, each.statements):
            what = f"{each.step.id} would run other statements than the plan shows"
            where = f"{each.step.revision.path}, or what it takes from elsewhere"
            raise RefusedError("stale-plan", what, where=where, fix="make the plan again: `provision plan --out FILE`")
    refuse_moved(reviewed.objects, partial(_live, site))


def _step(site: Site, each: Description, touched: Touched, locks: tuple[TableLock, ...] | None) -> PlannedStep:
    mask = site.environment.mask
    revision = each.step.revision
    return PlannedStep(
        each.step.id,
        revision.description,
        revision.checksum,
        _masked(site, each.statements),
        mask(each.reason),
        tuple(map(mask, each.destructive)),
        locks,
        tuple(sorted({f"{one.access} {one.words}" for one in touched.touches})),
        touched.unknown,
    )


def _masked(site: Site, statements: Iterable[str] | None) -> tuple[str, ...] | None:
    return None if statements is None else tuple(map(site.environment.mask, statements))


def _ids(plan: Plan, store: str) -> list[str]:
    return [step.id for step in plan.lane(store)]


def _touched(site: Site, store: str, wanted: Collection[str]) -> Mapping[str, Touched]:
    """What the revisions of a store touch; of a kind that cannot tell here, that it is not known."""
    options = next(each for each in placed(site.project, site.environment) if each.name == store)
    reader = kinds.named(options.kind, store).touches()
    if reader is None or not all(map(kinds.is_installed, reader.NEEDS)):
        return {name: Touched(unknown=UNREAD) for name in wanted}
    return reader.touched(options, site.graph.of(store), wanted)


def _objects(live: Objects, touched: Sequence[Touched]) -> ObjectDigests:
    if any(each.unknown for each in touched):
        return digested(live, None)
    written = {name for each in touched for name in each.written}
    # What is only read must be there, or is no name of an object at all.
    read = {name for each in touched for name in each.names if digested(live, [name]).digests}
    return digested(live, written | read)


def _live(site: Site, stores: Iterable[str]) -> Mapping[str, Objects]:
    """What the stores are made of; an engine that is not made yet, and a database that `up` makes, hold nothing."""
    there = [name for name in stores if site.reached[name].reach is Reach.READY]
    found: dict[str, Objects] = {}
    for name in there:
        if kinds.named(site.reached[name].store.kind, name).snapshot() is None:
            continue
        try:
            found |= snapshots.taken(site.project, site.environment, [name])
        except ConfigError as error:
            if error.code != "no-such-database":
                raise
    return found


def _locks(site: Site, plan: Plan) -> dict[str, tuple[TableLock, ...]]:
    found: dict[str, tuple[TableLock, ...]] = {}
    for store in dict.fromkeys(step.revision.store for step in plan.steps):
        reached = site.reached[store]
        if isinstance(reached.store, Locking) and reached.reach is Reach.READY:
            lane: list[Step] = list(plan.lane(store))
            found |= {name: tuple(each) for name, each in reached.store.locks(lane).items()}
    return found
