"""Finds the backfills that a command line names, and reaches the stores that they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

from provision import kinds, settings
from provision.backfill import document as documents
from provision.backfill import folder
from provision.backfill.document import BackfillVocabulary
from provision.errors import CapabilityMissing, ConfigError, UnreachableError, for_each
from provision.flows.backfill import NO_BACKFILLS, BackfillContext, batches_of
from provision.flows.backfill_standing import BackfillStatus, standing
from provision.flows.connect import known_stores, leases_of
from provision.model.backfills import Backfill, BackfillRun, RunState
from provision.ports.kind import Kind
from provision.text.nearest import near
from provision.wiring import sites


def read(project: settings.ProjectFile, names: Sequence[str] = ()) -> tuple[Backfill, ...]:
    """The named backfills, or all of the project. Raises ConfigError for everything that is wrong in any of them."""
    found = folder.found(project.root)

    def one(name: str) -> Backfill:
        path = found[_existing_name(name, list(found))]
        shown = path.relative_to(project.root).as_posix()
        return documents.read(path, shown, lambda store: vocabulary(project, store))

    return tuple(for_each(dict.fromkeys(names) or found, one))


def vocabulary(project: settings.ProjectFile, store: str) -> BackfillVocabulary:
    """What the kind of a store brings to backfills. Raises ConfigError (unknown-store), CapabilityMissing."""
    known_stores(project, frozenset({store}))
    kind = kinds.named(next(each.kind for each in project.stores if each.name == store), store)
    found = _of_kind(kind)
    if found is None:
        raise CapabilityMissing.of_kind(store, kind.name, "backfills", NO_BACKFILLS)
    return found


def schema() -> dict[str, Any]:
    """The JSON Schema of a backfill, of whatever kind its store is."""
    found = {kind.name: _of_kind(kind) for kind in kinds.every()}
    return documents.editor_schema({name: each for name, each in found.items() if each is not None})


def _of_kind(kind: Kind) -> BackfillVocabulary | None:
    part = kind.backfill_keys()
    if part is None:
        return None
    return BackfillVocabulary(part.KEYS, part.REQUIRED, getattr(part, "CODE", None), getattr(part, "CODE_REQUIRED", ()))


@contextmanager
def placed(
    project: settings.ProjectFile,
    chosen: settings.Environment,
    backfills: Sequence[Backfill],
    *,
    wait: float = 600.0,
    use_lease: bool = True,
    again: bool = False,
) -> Iterator[BackfillContext]:
    """The stores of these backfills, of what they require and read, and the home store, while the block runs.

    Raises ConfigError and UnreachableError, all together.
    """
    names = {name for backfill in backfills for name in backfill.stores}
    home = {project.home} - {"none"} if use_lease else set[str]()
    known_stores(project, frozenset(names))
    with sites.lent(project, chosen, frozenset(names | home)) as needed:
        switched_off = sorted((names | home) & needed.off)
        if switched_off:
            where = f"{project.file.name}, [environments.{chosen.name}]"
            what = f"{switched_off[0]} is off in environment {chosen.name}"
            raise ConfigError("store-off", what, where=where, fix="choose another environment")
        leases = leases_of(project.home, needed.stores) if home else None
        owner = sites.owner(project.root)
        anew = partial(placed, project, chosen, backfills, wait=wait, use_lease=use_lease, again=True)
        yield BackfillContext(
            project.name, needed.stores, owner, leases, project.lease_seconds, wait, None if again else anew
        )


def outcome(place: BackfillContext, chosen: Backfill, found: BackfillRun) -> BackfillStatus:
    """How it stands after a run that ended well, as the run says where the server is gone by now."""
    try:
        with place.again() if place.again is not None else nullcontext(place) as fresh:
            return standing(fresh, chosen)
    except UnreachableError:
        return BackfillStatus(chosen, found, str(found.state), found.state is RunState.SUCCEEDED)


def skipped(place: BackfillContext, each: BackfillStatus) -> list[tuple[str, str]]:
    """The rows that its last run passed over, with the reason of each."""
    if each.run is None or not each.run.rows_skipped:
        return []
    return list(batches_of(place.stores[each.backfill.store]).runs.skipped(each.run.run))


def _existing_name(name: str, found: Sequence[str]) -> str:
    name = name.removeprefix("backfill/")
    if name in found:
        return name
    fix = near(name, found, "known")
    raise ConfigError("unknown-backfill", f"no backfill is called {name}", where=f"backfills/{name}.yaml", fix=fix)
