"""Finds the backfills that a command line names, and reaches the stores that they need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

from provision import kinds, settings
from provision.backfill import document as documents
from provision.backfill.document import Vocabulary
from provision.errors import CapabilityMissing, ConfigError, ProvisionError, Several, raise_all
from provision.flows.backfill import NO_BACKFILLS, Place
from provision.flows.connect import known_stores, leases_of
from provision.flows.needed import reached
from provision.model.backfills import Backfill
from provision.ports.kind import Kind
from provision.text.nearest import near
from provision.wiring import sites


def read(project: settings.Project, names: Sequence[str] = ()) -> tuple[Backfill, ...]:
    """The named backfills, or all of the project. Raises ConfigError for everything that is wrong in any of them."""
    found = documents.found(project.root)
    read_, errors = [], list[ProvisionError]()
    for name in dict.fromkeys(names) or found:
        try:
            path = found[_known(name, list(found))]
            shown = path.relative_to(project.root).as_posix()
            read_.append(documents.read(path, shown, lambda store: vocabulary(project, store)))
        except Several as several:
            errors.extend(several.errors)
        except ProvisionError as error:
            errors.append(error)
    raise_all(errors)
    return tuple(read_)


def vocabulary(project: settings.Project, store: str) -> Vocabulary:
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


def _of_kind(kind: Kind) -> Vocabulary | None:
    part = kind.backfill_keys()
    if part is None:
        return None
    return Vocabulary(part.KEYS, part.REQUIRED, getattr(part, "CODE", None), getattr(part, "CODE_REQUIRED", ()))


@contextmanager
def placed(
    project: settings.Project,
    chosen: settings.Environment,
    backfills: Sequence[Backfill],
    *,
    wait: float = 600.0,
    use_lease: bool = True,
    again: bool = False,
) -> Iterator[Place]:
    """The stores of these backfills, of what they require and read, and the home store, while the block runs.

    Raises ConfigError and UnreachableError, all together.
    """
    names = {name for backfill in backfills for name in backfill.stores}
    home = {project.home} - {"none"} if use_lease else set[str]()
    known_stores(project, frozenset(names))
    with sites.masked(chosen), reached(
        project, chosen, kinds.build, sites.engine, frozenset(names | home), frozenset()
    ) as needed:  # fmt: skip
        switched_off = sorted((names | home) & needed.off)
        if switched_off:
            where = f"{project.file.name}, [environments.{chosen.name}]"
            what = f"{switched_off[0]} is off in environment {chosen.name}"
            raise ConfigError("store-off", what, where=where, fix="choose another environment")
        leases = leases_of(project.home, needed.stores) if home else None
        owner = sites.owner(project.root)
        anew = partial(placed, project, chosen, backfills, wait=wait, use_lease=use_lease, again=True)
        yield Place(project.name, needed.stores, owner, leases, project.lease_seconds, wait, None if again else anew)


def _known(name: str, found: Sequence[str]) -> str:
    name = name.removeprefix("backfill/")
    if name in found:
        return name
    fix = near(name, found, "known")
    raise ConfigError("unknown-backfill", f"no backfill is called {name}", where=f"backfills/{name}.yaml", fix=fix)
