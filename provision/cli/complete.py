"""What the shell can complete: names from provision.toml and ids from the files; loads no driver."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from provision.errors import ProvisionError
from provision.model import StoreOptions

if TYPE_CHECKING:
    from provision.settings import ProjectFile

# Compiled when Tab is pressed: every command imports this.
_REVISION = r"(?m)^revision\s*(?::[^=\n]+)?=\s*[\"']([^\"']+)[\"']"
_NUMBER = r"(\d+)_[^.]+\.(?:sql|yaml)"


def environments(begun: str) -> list[str]:
    """Names of environments."""
    project = _project()
    return _begin(begun, project.environments if project else ())


def stores(begun: str) -> list[str]:
    """Names of stores."""
    return _begin(begun, (options.name for options in _stores()))


def revisions(begun: str) -> list[str]:
    """Full ids of the revisions on disk."""
    return _begin(begun, (f"{options.name}/{number}" for options in _stores() for number in _numbers(options.path)))


def kinds(begun: str) -> list[str]:
    """Names of kinds of store."""
    from provision import kinds

    return _begin(begun, kinds.names())


def pages(begun: str) -> list[str]:
    """Names of pages of the documentation."""
    from provision.text import pages

    try:
        return _begin(begun, pages.listed())
    except ProvisionError:
        return []


def documented(begun: str) -> list[str]:
    """What `schema` prints the schema of."""
    from provision import kinds

    try:
        documented = [each.name for each in kinds.every() if each.has("setup.schema")]
    except ProvisionError:
        documented = []  # what is wrong with a package is for the command to report, not for a pressed Tab
    return _begin(begun, [*documented, "checks", "backfills", "partitions", "maintain"])


def partitions(begun: str) -> list[str]:
    """Names of documents of partitions/."""
    project = _project()
    return _begin(begun, (path.stem for path in sorted(project.root.glob("partitions/*.yaml"))) if project else ())


def jobs(begun: str) -> list[str]:
    """Names of jobs of maintain.yaml."""
    from provision.wiring import maintain

    project = _project()
    try:
        return _begin(begun, (each.name for each in maintain.read(project))) if project else []
    except ProvisionError:
        return []


def suites(begun: str) -> list[str]:
    """Names of suites of checks."""
    project = _project()
    return _begin(begun, (path.stem for path in sorted(project.root.glob("checks/*.yaml"))) if project else ())


def suites_or_history(context: typer.Context, begun: str) -> list[str]:
    """What may follow `validate`: names of suites, or the command `validate history`."""
    first = not context.params.get("names")
    return _begin(begun, [*suites(""), *(["history"] if first else [])])


def backfills(begun: str) -> list[str]:
    """Names of backfills."""
    project = _project()
    files = sorted(project.root.glob("backfills/*.*")) if project else []
    return _begin(begun, (path.stem for path in files if path.suffix in (".yaml", ".py")))


def _project() -> ProjectFile | None:
    from provision import settings

    try:
        return settings.load(Path.cwd())
    except ProvisionError:
        return None  # a wrong project file is for the command to report, not for a pressed Tab


def _stores() -> tuple[StoreOptions, ...]:
    project = _project()
    return project.stores if project else ()


def _numbers(folder: Path) -> Iterator[str]:
    """Ids by file name, for Alembic's files by their text: the kinds' own readers would load their drivers."""
    for path in filter(Path.is_file, sorted(folder.glob("versions/*.py"))):
        found = re.search(_REVISION, path.read_text(encoding="utf-8", errors="replace"))
        if found:
            yield found[1]
    for path in sorted(folder.glob("*")):
        match = re.fullmatch(_NUMBER, path.name)
        if match:
            yield match[1]


def _begin(begun: str, names: Iterable[str]) -> list[str]:
    # A shell prints them as they are.
    return [name for name in names if name.startswith(begun) and name.isprintable()]
