"""What is on this machine: Python, packages and their versions, tools, folders. Reads only."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path

from provision import kinds
from provision.errors import ConfigError, FailedError, ProvisionError
from provision.model import Finding, Severity
from provision.settings import ProjectFile

DISTRIBUTION = "provision-toolkit"
LEAST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 1 << 30
_REQUIREMENT = re.compile(r"^([A-Za-z0-9._-]+)(?:\[([^\]]*)\])?\s*([^;]*)(?:;.*extra\s*==\s*['\"]([\w-]+)['\"])?")


def python() -> Finding:
    """The version of Python."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] < LEAST_PYTHON:
        return Finding(
            "python",
            Severity.ERROR,
            "machine",
            f"Python {version}",
            "`python3.11 -m venv .venv`, and provision installed there",
        )
    return Finding("python", Severity.FINE, "machine", f"Python {version}, {sys.executable}")


def git() -> Finding:
    """Whether git is there: it names the commit in the run lock and keeps the migration files."""
    found = shutil.which("git")
    if found is None:
        return Finding("tools", Severity.WARNING, "machine", "git is not on PATH", "`apt-get install git`")
    return Finding("tools", Severity.FINE, "machine", f"git is {found}")


def packages(names: Sequence[str], *, embedded: bool) -> Iterator[Finding]:
    """The packages that these kinds need, and the embedded engines where one is used, with their versions."""
    used = [kinds.named(name, "doctor") for name in names]
    extras = {"", *(each.extra for each in used), *(("local",) if embedded else ())}
    engines = {each.engine_package for each in used}
    for extra, found in _installed(extras).items():
        fine = []
        for name, version, bounds in found:
            if extra == "local" and name not in engines:
                continue  # it brings what every kind needs
            if version is None:
                yield _wrong(f"{name} is not installed", {extra})
            elif not _within(version, bounds):
                yield _wrong(f"{name} {version} is not {bounds}", {extra})
            else:
                fine.append(f"{name} {version}")
        if fine:
            head = f"extra {extra}: " if extra else ""
            yield Finding("packages", Severity.FINE, "machine", head + ", ".join(fine))


def blamed(error: ProvisionError, *, begun: bool = False) -> ProvisionError:
    """An unexpected error, where packages are outside their bounds, as one that names them; any other as it is.

    It is a ConfigError, or a FailedError where a run had begun. Versions are read from metadata and only now.
    """
    if error.code != "unexpected":
        return error
    extras = {"", "local", *(each.extra for each in kinds.every())}
    outside = [
        (f"{name} {version} is not {bounds}", extra)
        for extra, found in _installed(extras).items()
        for name, version, bounds in found
        if version is not None and not _within(version, bounds)
    ]
    if not outside:
        return error
    finding = _wrong(", ".join(what for what, _ in outside), {extra for _, extra in outside})
    what = f"{finding.message} ({error.what})"
    if begun:
        return FailedError("unsupported-package", what, where=error.where, fix=finding.fix)
    return ConfigError("unsupported-package", what, where=error.where, fix=finding.fix)


def _installed(extras: Iterable[str]) -> dict[str, list[tuple[str, str | None, str]]]:
    """Extra → name, installed version (None: not there) and bounds of what it brings, each package once."""
    wanted = _requirements()
    found: dict[str, list[tuple[str, str | None, str]]] = {}
    seen: set[str] = set()  # `local` brings what the kinds' own extras bring too
    for extra in sorted(extras, key=lambda each: (each == "local", each)):
        fresh = [each for each in wanted.get(extra, ()) if each[0] not in seen]
        seen |= {name for name, _ in fresh}
        found[extra] = [(name, _version(name), bounds) for name, bounds in fresh]
    return found


def _wrong(what: str, extras: Iterable[str]) -> Finding:
    named = ",".join(sorted(filter(None, extras)))
    install = f"pip install '{DISTRIBUTION}{f'[{named}]' if named else ''}'"
    return Finding("packages", Severity.ERROR, "machine", what, install)


def folders(project: ProjectFile, *, embedded: bool) -> Iterator[Finding]:
    """The folder of the embedded engines, and room on its disk."""
    local = project.local
    if embedded and local.exists():
        mode = local.stat().st_mode & 0o777
        if mode & 0o077:
            what = f"{local.name} can be opened by other users (mode {mode:04o}), and holds passwords"
            yield Finding("folder", Severity.ERROR, "machine", what, f"`chmod 700 {shlex.quote(str(local))}`")
        elif not os.access(local, os.W_OK | os.X_OK):
            what = f"{local.name} cannot be written by this user"
            yield Finding("folder", Severity.ERROR, "machine", what, _writable(local))
        else:
            yield Finding("folder", Severity.FINE, "machine", f"{local.name} is private to this user")
    elif embedded and not os.access(project.root, os.W_OK | os.X_OK):
        what = f"{local.name} cannot be made: {project.root} is not writable"
        yield Finding("folder", Severity.ERROR, "machine", what, _writable(project.root))
    yield _room(project.root)


def _writable(folder: Path) -> str:
    """The command that lets this user write a folder; root's, where it is another's."""
    place = shlex.quote(str(folder))
    return f"`chmod u+rwx {place}`" if folder.stat().st_uid == os.geteuid() else f"`sudo chown -R $USER {place}`"


def _room(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    shown = f"{free / (1 << 30):.1f} GiB are free in {folder}"
    if free < LEAST_FREE_BYTES:
        return Finding(
            "disk",
            Severity.WARNING,
            "machine",
            shown,
            f"`du -xh -d 2 {shlex.quote(str(folder))} | sort -h | tail` names what takes it",
        )
    return Finding("disk", Severity.FINE, "machine", shown)


def _requirements() -> dict[str, list[tuple[str, str]]]:
    """Extra → the distributions it brings and their bounds; "" is what is always needed."""
    found: dict[str, list[tuple[str, str]]] = {}
    try:
        listed = metadata.requires(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:  # run from a checkout that was never installed
        return found
    for text in listed:
        match = _REQUIREMENT.match(text)
        if match and match[1] != DISTRIBUTION:
            found.setdefault(match[4] or "", []).append((match[1], match[3].strip().strip("()")))
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _within(version: str, bounds: str) -> bool:
    """Whether a version keeps bounds such as `>=1.16,<2`; other comparisons than these are taken to hold."""
    have = _numbers(version)
    for bound in filter(None, (part.strip() for part in bounds.split(","))):
        match = re.fullmatch(r"(>=|<)\s*([\d.]+)", bound)
        if match and (have >= _numbers(match[2])) is not (match[1] == ">="):
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    """As many for every version: 8.4 is no older than 8.4.0."""
    numbers = [int(part) for part in re.findall(r"\d+", version)[:4]]
    return (*numbers, *[0] * (4 - len(numbers)))
