"""Reads and checks provision.toml: the one reader of that file."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from provision import kinds
from provision.errors import ConfigError, raise_all
from provision.model import StoreOptions
from provision.settings.check import PLACE_KEYS, ProjectFileCheck, line
from provision.settings.model import ProjectFile
from provision.text import durations
from provision.text.files import listed, read_text
from provision.text.nearest import nearest

FILE = "provision.toml"
_NOT_OF_A_KIND = ("kind", "path", "heads", "forgoes", "options")


def find(start: Path) -> Path:
    """The nearest provision.toml upward. Raises ConfigError (no-project)."""
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            return folder / FILE
    raise ConfigError(
        "no-project",
        f"no {FILE} here or in any folder above",
        where=str(start),
        fix="run `provision init` in the folder of the project, or change into it",
    )


def load(start: Path, variables: Mapping[str, str] = os.environ) -> ProjectFile:
    """Read and check provision.toml. Raises ConfigError (no-project, toml-invalid, unknown-key, …), all at once."""
    found, stores = _read(start, variables)
    raise_all([_no_folder(each, found.file) for each in found.stores if _is_missing(each, stores)])
    raise_all(_shared(found.stores, stores, found.file))
    return found


def outline(start: Path, variables: Mapping[str, str] = os.environ) -> ProjectFile:
    """As `load`, whether the folders of the stores are there or not."""
    return _read(start, variables)[0]


def _read(start: Path, variables: Mapping[str, str]) -> tuple[ProjectFile, Mapping[str, Mapping[str, Any]]]:
    """The project, its folders not looked at, and what the file says of its stores."""
    file = find(start)
    text = read_text(file, str(file))
    tree = _parsed(text, file)
    _override(tree, variables)
    raise_all(list(ProjectFileCheck(tree, file, text, variables).problems()))
    project = tree["project"]
    name, stores = str(project["name"]), tree.get("stores", {})
    options = tuple(_store(each, keys, name, file.parent) for each, keys in stores.items())
    home = str(project.get("home", "none"))
    if home != "none" and home not in stores:
        raise ConfigError(
            "unknown-store",
            f"home names {home!r}, which is not a store of this project",
            where=f"{file}:{line(text.split(chr(10)), 'home', 'project')}",
            fix=nearest(home, [*stores, "none"]),
        )
    many = frozenset(each for each, keys in stores.items() if keys.get("heads") == "many")
    lease = seconds(str(project.get("lease", "30s")), f"{file}:{line(text.split(chr(10)), 'lease', 'project')}")
    forgoes = {each: frozenset(listed(str(keys.get("forgoes", "")))) for each, keys in stores.items()}
    raise_all(_no_such_store(forgoes, stores, file))
    chosen = _options(stores)
    environments, levels = tree.get("environments", {}), tree.get("lint", {})
    made = ProjectFile(file, name, home, options, environments, many, lease, forgoes, chosen, lint=levels)
    return made, stores


def _is_missing(options: StoreOptions, stores: Mapping[str, Mapping[str, Any]]) -> bool:
    return "path" in stores[options.name] and not options.path.is_dir()


def _no_such_store(
    forgoes: Mapping[str, frozenset[str]], stores: Mapping[str, object], file: Path
) -> list[ConfigError]:
    return [
        ConfigError(
            "unknown-store",
            f"{store} forgoes {each!r}, which is not a store of this project",
            where=f"{file}, [stores.{store}] forgoes",
            fix=nearest(each, list(stores)),
        )
        for store, named in forgoes.items()
        for each in sorted(named - stores.keys())
    ]


def _options(stores: Mapping[str, Mapping[str, Any]]) -> Mapping[str, frozenset[str]]:
    """Option → ids of its revisions, in whichever stores they are."""
    found: dict[str, frozenset[str]] = {}
    for store, keys in stores.items():
        for option, numbers in keys.get("options", {}).items():
            found[option] = found.get(option, frozenset()) | {f"{store}/{each}" for each in listed(str(numbers))}
    return found


def seconds(text: str, where: str = "") -> float:
    """A duration such as `500ms`, `30s`, `10m`, `2h` or a bare number of seconds. Raises ConfigError (bad-duration)."""
    try:
        return durations.typed(text)
    except ValueError:
        what = f"{text!r} is not a duration"
        raise ConfigError("bad-duration", what, where=where, fix="write it like 500ms, 30s, 10m or 2h") from None


def _store(name: str, keys: Mapping[str, Any], project: str, root: Path) -> StoreOptions:
    kind = str(keys.get("kind", name))
    path = root / str(keys.get("path", _folder(kind) or name))
    extra = {key: value for key, value in keys.items() if key not in _NOT_OF_A_KIND}
    return StoreOptions(name, kind, project, path, root, extra)


def _override(tree: dict[str, Any], variables: Mapping[str, str]) -> None:
    """Apply PROVISION_<STORE>__<KEY> to the stores' own keys; urls are filled in per environment."""
    stores = tree.get("stores", {})
    for name, table in [*(stores.items() if isinstance(stores, dict) else ()), ("project", tree.get("project"))]:
        prefix = f"PROVISION_{name.upper()}__"
        for variable, value in variables.items():
            key = variable.removeprefix(prefix).lower()
            if variable.startswith(prefix) and key not in PLACE_KEYS and isinstance(table, dict):
                table[key] = value


def _shared(options: Sequence[StoreOptions], stores: Mapping[str, Mapping[str, Any]], file: Path) -> list[ConfigError]:
    """Stores that have a folder in common by default: whoever means that writes `path` for each of them."""
    folders: dict[Path, list[StoreOptions]] = {}
    for each in options:
        folders.setdefault(each.path.resolve(), []).append(each)
    return [
        ConfigError(
            "shared-folder",
            f"{' and '.join(each.name for each in sharing)} share the folder {sharing[0].shown(sharing[0].path)}, and"
            f" {' and '.join(unsaid)} {'has' if len(unsaid) == 1 else 'have'} no path",
            where=f"{file}, [stores.{unsaid[-1]}]",
            fix=f'write path = "{unsaid[-1]}" there, and make the folder: `provision store add {unsaid[-1]}`; or write'
            " path for each of them, if they are meant to share it",
        )
        for sharing in folders.values()
        if len(sharing) > 1 and (unsaid := [each.name for each in sharing if "path" not in stores[each.name]])
    ]


def _folder(kind: str) -> str:
    """The folder that every store of a kind has by default; empty where it is called like the store."""
    found = kinds.find(kind)
    return found.folder if found is not None else ""


def _no_folder(options: StoreOptions, file: Path) -> ConfigError:
    return ConfigError(
        "missing-folder",
        f"the folder of {options.name} does not exist: {options.shown(options.path)}",
        where=f"{file}, [stores.{options.name}] path",
        fix=f"correct the path, or make the folder: `provision store add {options.name}`",
    )


def _parsed(text: str, file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, place = str(error), re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        where = f"{file}:{place[1]}:{place[2]}" if place else str(file)
        message = message[: place.start()] if place else message
        what = f"{FILE} is not TOML: {message[:1].lower()}{message[1:]}"
        raise ConfigError("toml-invalid", what, where=where, fix="correct the line") from None
