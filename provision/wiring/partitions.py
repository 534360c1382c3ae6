"""Finds the partitioned tables that a command line names, and reaches the stores that they are in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from provision import kinds, settings
from provision.errors import CapabilityMissing, ConfigError, ProvisionError, for_each, joined
from provision.flows.connect import Site, known_stores
from provision.flows.partitions import NO_PARTITIONS, AdoptedSet, SetStanding, ensure, standings
from provision.model import Listener, Note, Report
from provision.model.partitions import Engine, KeptSet, PartitionSet
from provision.partitions import folder
from provision.partitions.outline import outline
from provision.ports import Store
from provision.ports.partitions import Delegates, Partitioned, Partitions
from provision.text.nearest import near
from provision.wiring import sites


def read(project: settings.ProjectFile, names: Sequence[str] = ()) -> tuple[PartitionSet, ...]:
    """The named sets, or all of the project. Raises ConfigError for everything that is wrong in any of them."""
    found = folder.found(project.root)
    if not found and not names:
        return ()
    makers, others = _makers(project)

    def one(name: str) -> PartitionSet:
        path = found[_existing_name(name, list(found))]
        shown = path.relative_to(project.root).as_posix()
        return outline(path, shown, makers, others) or _whole(project, path, shown)

    return tuple(for_each(dict.fromkeys(names) or found, one))


def _whole(project: settings.ProjectFile, path: Path, shown: str) -> PartitionSet:
    """As the reader of YAML gives it, which is imported where a document needs it."""
    from provision.partitions import document as documents

    return documents.read(path, shown, lambda store: _keys(project, store))


def _makers(project: settings.ProjectFile) -> tuple[list[str], list[str]]:
    """The stores whose windows are made by us, and the others that have some."""
    makers, others = list[str](), list[str]()
    for each in project.stores:
        with suppress(ConfigError):  # what is wrong with a kind is said where a document names a store of it
            kind = kinds.named(each.kind, each.name)
            if kind.has("partitions.make"):
                makers.append(each.name)
            elif kind.has("partitions.keys"):
                others.append(each.name)
    return makers, others


def schema() -> dict[str, Any]:
    """The JSON Schema of a set, of whatever kind its store is."""
    from provision.partitions import document as documents

    parts = [part for kind in kinds.every() if (part := kind.partition_keys()) is not None]
    return documents.schema({key: each for part in parts for key, each in part.KEYS.items()})


def adopt(
    project: settings.ProjectFile, chosen: settings.Environment, only: Sequence[str], *, dry_run: bool
) -> list[AdoptedSet]:
    """Write a document for each table that something else keeps in these stores, or in all; what became of each.

    A table that has a document keeps it. Raises ConfigError (unknown-store, extension-missing, not-allowed), and
    UnreachableError.
    """
    known_stores(project, frozenset(only))
    able = [each.name for each in project.stores if kinds.named(each.kind, each.name).partition_keys() is not None]
    described = {(each.store, each.table) for each in read(project)}
    with sites.lent(project, chosen, frozenset(only or able)) as needed:
        others = {name: each for name, each in parts_of(needed.stores).items() if isinstance(each, Delegates)}
        kept = [(name, each) for name, part in others.items() for each in part.kept()]
    return [_adopted(project, name, each, described, dry_run=dry_run) for name, each in kept]


def _adopted(
    project: settings.ProjectFile, store: str, kept: KeptSet, described: set[tuple[str, str]], *, dry_run: bool
) -> AdoptedSet:
    from provision.partitions import document as documents
    from provision.partitions import writer

    if (store, kept.table) in described:
        return AdoptedSet(store, kept.table, "", there=True)
    if kept.against:
        return AdoptedSet(store, kept.table, "", kept.against)
    path = project.root / folder.FOLDER / f"{kept.table.replace('.', '_')}.yaml"
    shown = path.relative_to(project.root).as_posix()
    if path.exists():
        return AdoptedSet(store, kept.table, "", f"{shown} is there already, and of another table")
    text = writer.document(store, kept, Engine.PARTMAN)
    try:
        documents.parsed(text, path.stem, shown, lambda name: _keys(project, name))
    except ProvisionError as error:
        return AdoptedSet(store, kept.table, "", error.what)
    if not dry_run:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return AdoptedSet(store, kept.table, shown)


@contextmanager
def placed(
    project: settings.ProjectFile, chosen: settings.Environment, sets: Sequence[PartitionSet]
) -> Iterator[Mapping[str, Partitions]]:
    """The parts of these sets' stores that keep windows, by name, while the block runs; without those of stores that
    the environment switches off, unless there are no others.

    Raises ConfigError (store-off, not-made, …) and UnreachableError, all together.
    """
    with sites.lent(project, chosen, frozenset(each.store for each in sets)) as needed:
        for name in sorted(needed.off) if not needed.stores else ():
            where = f"{project.file.name}, [environments.{chosen.name}]"
            what = f"{name} is off in environment {chosen.name}"
            raise ConfigError("store-off", what, where=where, fix="choose another environment")
        yield parts_of(needed.stores)


def ensured(
    site: Site, only: frozenset[str], report: Report, happened: Listener, *, dry_run: bool = False
) -> tuple[Report, ProvisionError | None]:
    """Make the windows that are missing, at the end of an `up` that went well; what it did, and what stopped it.

    Tables that are not there yet are left for the `up` that makes them. What keeps it from looking stops it, too: what
    was applied is told with it.
    """
    try:
        found = looked_at(site, only, making=True)
    except ProvisionError as error:
        return report, error
    parts = parts_of({name: site.stores[name] for name in {each.wanted.store for each in found}})
    changes = ensure(found, parts, lambda name, text: happened(Note(name, text)), dry_run=dry_run)
    for each in changes:
        count = len(each.windows) if dry_run else len(each.names)
        if count:
            verb = "would make" if dry_run else "made"
            text = f"{verb} {count} window{'' if count == 1 else 's'} of {each.wanted.table}"
            happened(Note(each.wanted.store, text))
    errors = [each.error for each in changes if each.error is not None]
    names = tuple(name for each in changes for name in each.names)
    return replace(report, windows=names), joined(errors) if errors else None


def looked_at(site: Site, only: frozenset[str] = frozenset(), *, making: bool = False) -> list[SetStanding]:
    """How the tables of a site stand that are there; with `making` only those whose windows are made by us.

    Raises ConfigError for a document that is wrong.
    """
    able = {name: each for name, each in site.stores.items() if not only or name in only}
    if making:  # the parts of the others would be imported to be asked for nothing
        makers, _ = _makers(site.project)
        able = {name: each for name, each in able.items() if name in makers}
    parts = parts_of(able)
    sets = [each for each in read(site.project) if each.store in parts]
    return [each for each in standings(sets, parts) if not each.absent]


def parts_of(stores: Mapping[str, Store]) -> Mapping[str, Partitions]:
    """The parts of open stores that keep windows, by name."""
    return {name: each.partitions for name, each in stores.items() if isinstance(each, Partitioned)}


def _keys(project: settings.ProjectFile, store: str) -> Mapping[str, Mapping[str, Any]]:
    """The keys that the kind of a store knows. Raises ConfigError (unknown-store), CapabilityMissing."""
    known_stores(project, frozenset({store}))
    kind = kinds.named(next(each.kind for each in project.stores if each.name == store), store)
    part = kind.partition_keys()
    if part is None:
        raise CapabilityMissing.of_kind(store, kind.name, "partitions", NO_PARTITIONS)
    return part.KEYS


def _existing_name(name: str, found: Sequence[str]) -> str:
    if name in found:
        return name
    fix = near(name, found, "known")
    raise ConfigError("unknown-partitions", f"no document is called {name}", where=f"partitions/{name}.yaml", fix=fix)
