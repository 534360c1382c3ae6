"""Takes snapshots of stores, and keeps them in `schema/`."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from provision import kinds, settings
from provision.errors import CapabilityMissing, ConfigError, ProvisionError
from provision.flows import rehearsal
from provision.flows.connect import placed, together
from provision.flows.rehearsal import Snapshots
from provision.model import StoreOptions
from provision.model.diagram import Diagram
from provision.ports.kind import Change, Objects
from provision.text.written import writing
from provision.wiring import local_engines

FOLDER = "schema"


def taken(project: settings.ProjectFile, environment: settings.Environment, stores: Iterable[str]) -> Snapshots:
    """What each of the stores is made of now, all looked at together.

    Raises ConfigError, CapabilityMissing and UnreachableError, for all of them together.
    """
    wanted = [each for each in placed(project, environment) if each.name in set(stores)]

    def one(options: StoreOptions) -> tuple[str, Objects]:
        reader = kinds.named(options.kind, options.name).snapshot()
        if reader is None:
            raise CapabilityMissing.of_kind(options.name, options.kind, "snapshots", "look at it by hand")
        return options.name, reader.taken(options, local_engines.url(project, environment, options.name))

    return dict(together(wanted, one))


def diagrams(
    project: settings.ProjectFile, environment: settings.Environment, stores: Iterable[str]
) -> dict[str, Diagram]:
    """The diagram of each of the stores whose kind draws one. Raises as `taken`."""
    wanted = [each for each in placed(project, environment) if each.name in set(stores)]
    readers = {each.name: kinds.named(each.kind, each.name).diagram() for each in wanted}

    def one(options: StoreOptions) -> tuple[str, Diagram]:
        reader = readers[options.name]
        assert reader is not None
        return options.name, reader.drawn(options, local_engines.url(project, environment, options.name))

    return dict(together([each for each in wanted if readers[each.name] is not None], one))


def full(project: settings.ProjectFile, environment: settings.Environment, stores: Iterable[str]) -> list[str]:
    """Those of the stores that hold more than a new database does. Raises as `taken`."""
    found = taken(project, environment, stores)
    new = {each.name: kinds.named(each.kind, each.name).part("setup.snapshot") for each in project.stores}
    return [name for name, objects in found.items() if not _all_new(objects, getattr(new[name], "NEW", ()))]


def _all_new(objects: Iterable[str], new: Collection[str]) -> bool:
    return all(each in new or each.partition(" ")[0] in new for each in objects)


def changes(project: settings.ProjectFile, before: Snapshots, after: Snapshots) -> Mapping[str, Sequence[Change]]:
    """Store → how what it is made of becomes what `after` says, as its own files would say it."""
    found: dict[str, Sequence[Change]] = {}
    for options in project.stores:
        part = kinds.named(options.kind, options.name).changes()
        if part is not None and options.name in before and before[options.name] != after[options.name]:
            found[options.name] = part.changes(before[options.name], after[options.name])
    return found


def accept(
    project: settings.ProjectFile, expected: Snapshots, live: Snapshots, message: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Write what differs as the next revision of each store, and the snapshots: the files, and what no file makes.

    Raises ConfigError (bad-message, unwritable-file, …).
    """
    files: list[str] = []
    by_hand: list[str] = []
    up, down = changes(project, expected, live), changes(project, live, expected)
    for options in project.stores:
        taken = [each for each in up.get(options.name, ()) if not each.by_hand]
        by_hand += [f"{each.object}: {each.by_hand}" for each in up.get(options.name, ()) if each.by_hand]
        part = kinds.named(options.kind, options.name).changes()
        if part is None or not taken:
            continue
        named = {each.object for each in taken}
        back = [each for each in down[options.name] if each.object in named]
        with writing("the revision", options.path):
            paths = part.write(options, message, taken, back)
        if reason := _contradiction(options):
            for path in paths:
                path.unlink()
            by_hand += [f"{each.object}: {reason}" for each in taken]
            continue
        paths = [
            *paths,
            *write(project.root, {options.name: rehearsal.accepted(expected[options.name], live[options.name], taken)}),
        ]
        files += [options.shown(each) for each in paths]
    return tuple(files), tuple(by_hand)


def _contradiction(options: StoreOptions) -> str:
    """Why the files of a store cannot be read any more, as one that uses what another one dropped; empty where they
    can."""
    try:
        kinds.build(options).revisions()
    except ProvisionError as error:
        return error.what
    return ""


def read(root: Path) -> Snapshots:
    """The snapshots that are kept, of every store that has one. Raises ConfigError (bad-snapshot)."""
    found = {}
    for path in sorted((root / FOLDER).glob("*.json")):
        try:
            stated = json.loads(path.read_text(encoding="utf-8"))
            objects = {str(name): "\n".join(lines) for name, lines in stated["objects"].items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            what, where = f"the snapshot cannot be read: {error}", f"{FOLDER}/{path.name}"
            fix = "run `provision verify --write`, or take the file back from git"
            raise ConfigError("bad-snapshot", what, where=where, fix=fix) from None
        found[path.stem] = objects
    return found


def write(root: Path, snapshots: Snapshots) -> list[Path]:
    """Keep the snapshots, a file a store, a line a line of each definition. Raises ConfigError (unwritable-file)."""
    written = []
    for store, objects in snapshots.items():
        path = root / FOLDER / f"{store}.json"
        lines = {name: text.split("\n") for name, text in objects.items()}
        text = json.dumps({"objects": lines}, indent=1, ensure_ascii=False) + "\n"
        with writing("the file", path):
            path.parent.mkdir(exist_ok=True)
            beside = path.with_suffix(".new")
            beside.write_text(text, encoding="utf-8")
            os.replace(beside, path)
        written.append(path)
    return written
