"""Adds a store to a project: its folder of migrations and its section of provision.toml. Reaches no database."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from provision import kinds, settings
from provision.errors import ConfigError
from provision.flows.layout import ATTRIBUTES, append, attributes, layout_of
from provision.model import StoreOptions
from provision.ports.kind import Kind, Layout
from provision.settings import check
from provision.settings.edit import add_store
from provision.text.written import writing

# What stands for something else where the name of a store may stand.
TAKEN = ("embedded", "backfill", "none", "project")


@dataclass(frozen=True, slots=True)
class AddedStore:
    """What was done. `folder` was there already and is `adopted`, or was made: its files are among the `written`.

    `changed` are files with lines more. `without_url` are the environments that give the store neither url nor engine.
    """

    name: str
    folder: str
    adopted: bool
    written: tuple[Path, ...]
    changed: tuple[Path, ...]
    without_url: tuple[str, ...]


def add(start: Path, name: str, kind: str | None, folder: str | None) -> AddedStore:
    """Add a store to the project of a folder; of one that provision.toml has already, make the folder that is missing.

    Raises ConfigError (bad-name, unknown-kind, no-layout, store-exists, outside-project, shared-folder,
    folder-not-empty, toml-not-edited-file, what is wrong in provision.toml).
    The file is written last: where a disk fills up before that, the same command is given again.
    """
    found = settings.outline(start)
    known = {each.name: each for each in found.stores}
    options = _existing(known[name], kind, folder) if name in known else _new(found, name, kind, folder)
    part = layout_of(kinds.named(options.kind, "--kind"), "store add", "--kind")
    place = Path(os.path.relpath(options.path, found.root)).as_posix()
    with writing("the store", found.root):
        if name not in known:
            _within(found, options)
        adopted = _adopted(options, part)
        written = [] if adopted else list(part.start(found.root, place, name))
        lines = attributes(found.root, place, part.FILES)
        changed = [each for each in [append(found.root / ATTRIBUTES, lines)] if each is not None]
        if name not in known:
            add_store(found.file, name, _keys(options, place))
            changed.insert(0, found.file)
    return AddedStore(name, place, adopted, tuple(written), tuple(changed), _without_url(found, name))


def _existing(options: StoreOptions, kind: str | None, folder: str | None) -> StoreOptions:
    """The store of provision.toml whose folder is to be made. Raises ConfigError (store-exists)."""
    same = kind in (None, options.kind) and folder in (None, options.shown(options.path))
    if same and not options.path.exists():
        return options
    raise ConfigError(
        "store-exists",
        f"{options.name} is a store of this project already, of kind {options.kind}",
        where=f"{settings.FILE}, [stores.{options.name}]",
        fix=f'choose another name; the next file of {options.name}: `provision new {options.name} "what it does"`',
    )


def _new(found: settings.ProjectFile, name: str, kind: str | None, folder: str | None) -> StoreOptions:
    if check.NAME.fullmatch(name) is None or name in TAKEN:
        raise check.bad_name(name, "provision store add", of="a store")
    if twin := next((each.name for each in found.stores if each.name.upper() == name.upper()), None):
        what = f"{name!r} and {twin!r} differ in case alone: one variable would be the url of both"
        raise ConfigError("bad-name", what, where="provision store add", fix="choose another name")
    if kind is None and kinds.find(name) is None:
        what = f"{name} is no kind of store, and no --kind is given"
        raise ConfigError("unknown-kind", what, where="provision store add", fix=f"--kind {' or '.join(kinds.names())}")
    of = kinds.named(kind or name, "--kind")
    place = folder if folder is not None else _usual(found, name, of)
    if not place.isprintable():
        raise check.bad_name(place, "--path", of="a folder")
    path = Path(os.path.abspath(found.root / place))
    return StoreOptions(name, of.name, found.name, path, found.root)


def _usual(found: settings.ProjectFile, name: str, kind: Kind) -> str:
    """The folder of the kind, unless another store has it; else one called like the store."""
    usual = kind.folder or name
    return name if any(_meet(found.root / usual, each.path) for each in found.stores) else usual


def _within(found: settings.ProjectFile, options: StoreOptions) -> None:
    """Raises ConfigError (outside-project, shared-folder) for a folder that cannot be this store's own."""
    real, root = options.path.resolve(), found.root.resolve()
    if real == root or not real.is_relative_to(root) or not options.path.is_relative_to(found.root):
        what = f"{options.shown(options.path)} is no folder within the project"
        raise ConfigError("outside-project", what, where="--path", fix=f"name one below {found.root}")
    others = {each.name: each.path for each in found.stores if each.name != options.name}
    for name, path in {"the embedded engines": found.local, **others}.items():
        if _meet(options.path, path):
            what = f"{options.shown(options.path)} is the folder of {name}, or one of the two is within the other"
            raise ConfigError("shared-folder", what, where="--path", fix="name a folder of its own: --path FOLDER")


def _meet(one: Path, other: Path) -> bool:
    one, other = one.resolve(), other.resolve()
    return one.is_relative_to(other) or other.is_relative_to(one)


def _adopted(options: StoreOptions, part: Layout) -> bool:
    """Whether the folder is one of the kind's already. Raises ConfigError (folder-not-empty)."""
    shown = options.shown(options.path)
    if options.path.is_dir():
        if part.holds(options.path):
            return True
        if all(each.name.startswith(".") for each in options.path.iterdir()):
            return False
        what = f"{shown} holds files, and no migrations of kind {options.kind}"
    elif os.path.lexists(options.path):
        what = f"{shown} is there, and is no folder"
    else:
        return False
    raise ConfigError("folder-not-empty", what, where=shown, fix="name another folder: --path FOLDER")


def _keys(options: StoreOptions, place: str) -> Mapping[str, str]:
    """What has to be written of the store: what would not be so by itself."""
    kind = kinds.named(options.kind, "--kind")
    said = {"kind": kind.name} if kind.name != options.name else {}
    return said | ({"path": place} if place != (kind.folder or options.name) else {})


def _without_url(found: settings.ProjectFile, name: str) -> tuple[str, ...]:
    return tuple(
        environment
        for environment, keys in found.environments.items()
        if keys.get("embedded") is not True and name not in keys
    )
