"""What `lint` found in a store, kept until anything changes that it was found in.

A finding depends on the files before its own, and some on those behind it: what is kept is of a whole store.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from hashlib import sha256
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from provision.flows.lint import StoreLint
from provision.model import Revision, Severity, StoreOptions
from provision.model.lint import Edit, LintFinding
from provision.ports.kind import Kind
from provision.ports.lint import LintReader, shown

FOLDER = ".lint"  # no name of a store begins with a dot
_MOST = 20_000  # files of a store's folder; where there are more, nothing is kept
_PASSED = ("__pycache__", "node_modules")
_ABOUT_THE_SHELL = frozenset(("_", "COLUMNS", "LINES", "OLDPWD", "SHLVL", "TERM", "WINDOWID"))
_PACKAGES = ("provision-toolkit", "pglast", "alembic", "sqlalchemy", "chdb")


class LintCache:
    """`folder` is that of `.provision`; `levels` say what each rule is here."""

    def __init__(self, folder: Path, levels: Mapping[str, Severity | None]) -> None:
        self._folder = folder / FOLDER
        self._levels = sorted((rule, str(level)) for rule, level in levels.items())

    def entry(self, options: StoreOptions, kind: Kind, revisions: Sequence[Revision]) -> LintEntry | None:
        """That of a store; None where its folder is too large to be looked at each time."""
        files = _files(options, revisions)
        if len(files) > _MOST:
            return None
        parts = [options, self._levels, kind.name, _tool(kind), _process(), [repr(each) for each in revisions]]
        scope = sha256(repr(self._levels).encode()).hexdigest()[:12]
        return LintEntry(self._folder / f"{options.name}-{scope}.json", repr(parts), files)


class LintEntry:
    """What is kept of one store at one choice of levels."""

    def __init__(self, file: Path, parts: str, files: Sequence[str]) -> None:
        self._file, self._parts, self._files = file, parts, files
        self._key = self._now()

    def known(self) -> StoreLint | None:
        """What was found, if everything is as it was then."""
        try:
            kept = json.loads(self._file.read_bytes())
            if kept["key"] != self._key or any(_look(path) != seen for path, seen in kept["reads"].items()):
                return None
            findings = tuple(map(_finding, kept["findings"]))
            return StoreLint(findings, tuple(kept["files"]), tuple(kept["not_rendered"]))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # there is none, or it is no longer whole
            return None

    def keep(self, found: StoreLint, reader: LintReader) -> None:
        """Write it down; where that cannot be, the next run finds it again."""
        if self._now() != self._key:
            return  # a file was changed meanwhile: nobody knows which text was read
        reads = {
            path: _look(path)
            for path in sorted({*reader.reads} - {*self._files})
            if not _is_pythons(path) and not _is_device(path)
        }
        kept = {
            "key": self._key,
            "reads": reads,
            "findings": [{**each.told(), "edits": [list(edit) for edit in each.edits]} for each in found.findings],
            "files": found.files,
            "not_rendered": found.not_rendered,
        }
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            (self._file.parent / ".gitignore").write_text("*\n", encoding="utf-8")
            half = self._file.with_suffix(f".{os.getpid()}")
            half.write_text(json.dumps(kept), encoding="utf-8")
            half.replace(self._file)
        except OSError:
            return

    def _now(self) -> str:
        digest = sha256(self._parts.encode())
        for path in self._files:
            digest.update(f"{path}\0{_look(path)}\0".encode())
        return digest.hexdigest()


def _finding(kept: Mapping[str, Any]) -> LintFinding:
    edits = tuple(Edit(*each) for each in kept["edits"])
    rest = {key: value for key, value in kept.items() if key not in ("edits", "severity")}
    return LintFinding(severity=Severity(kept["severity"]), edits=edits, **rest)


def _files(options: StoreOptions, revisions: Sequence[Revision]) -> list[str]:
    """Those of the store's folder and of its revisions, wherever they lie, and what configures Alembic."""
    found = {str(shown(options, each)[1]) for each in revisions}
    found |= {str(options.root / name) for name in ("alembic.ini", "pyproject.toml")}
    found |= {str(options.root / value) for value in options.extra.values() if isinstance(value, str)}
    for folder, folders, names in os.walk(options.path):
        folders[:] = [each for each in folders if not each.startswith(".") and each not in _PASSED]
        found.update(os.path.join(folder, name) for name in names)
        if len(found) > _MOST:
            break
    return sorted(found)


def _look(path: str) -> str:
    """What a file holds, or which names a folder has; `-` for what is not there."""
    try:
        with open(path, "rb", buffering=0) as file:
            return sha256(file.readall()).hexdigest()
    except IsADirectoryError:
        names = (each for each in sorted(os.listdir(path)) if each not in ("__pycache__", ".provision"))
        return sha256("\0".join(names).encode(errors="surrogateescape")).hexdigest()
    except OSError:
        return "-"


def _tool(kind: Kind) -> Collection[str]:
    """What lint is here: the versions that it stands on, and its own files, which change without one."""
    versions = [f"{name} {_version(name)}" for name in _PACKAGES]
    own = {str(Path(__file__).parents[1])}
    spec = find_spec(kind.package)
    own |= set(spec.submodule_search_locations or ()) if spec is not None else set()
    return [
        sys.version,
        *versions,
        *sorted(f"{name} {size} {when}" for each in own for name, size, when in _dated(each)),
    ]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "-"


def _dated(folder: str) -> Iterator[tuple[str, int, int]]:
    with os.scandir(folder) as entries:
        for each in entries:
            if each.is_dir() and each.name not in _PASSED:
                yield from _dated(each.path)
            elif each.name.endswith(".py"):
                found = each.stat()
                yield each.path, found.st_size, found.st_mtime_ns


def _process() -> Collection[str]:
    """What env.py may ask of its process: where it runs, and the environment's variables; only a sum of it is kept."""
    return [
        os.getcwd(),
        *(f"{name}={value}" for name, value in sorted(os.environ.items()) if name not in _ABOUT_THE_SHELL),
    ]


def _is_pythons(path: str) -> bool:
    """A file of Python, or of a package that is installed: the versions of those that count are in the key."""
    own = tuple({sys.prefix, sys.base_prefix, "/proc/"})
    return path.startswith(own) or "__pycache__" in Path(path).parts


def _is_device(path: str) -> bool:
    """A device, a pipe or a socket: reading may never end, and says nothing of what was read then."""
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
