"""Writes documents of what is on a live server, so that a project can begin with a database that is there already."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from provision.errors import ConfigError
from provision.flows.connect import Build, Engines, known_stores, placed, url_of
from provision.model import StoreOptions
from provision.model.statements import Found
from provision.ports.kind import LiveReader
from provision.settings import Environment, ProjectFile
from provision.text.written import writing


class Adopted(NamedTuple):
    """The files that were written, what no file can make, and what a person has to write into them; a line each."""

    written: Sequence[Path]
    left_out: Sequence[str]
    to_fill: Sequence[str]


def adopt(
    project: ProjectFile,
    environment: Environment,
    build: Build,
    engines: Engines,
    live: Callable[[str], LiveReader],
    write: Callable[[StoreOptions, Found], Path],
    store: str,
    target: Path | None = None,
) -> Adopted:
    """Write one document for each thing found on the store's server, into its folder or into `target`.

    Raises ConfigError (unknown-store, documents-exist, store-not-configured, unwritable-file), UnreachableError.
    """
    known_stores(project, frozenset({store}))
    options = next(each for each in placed(project, environment) if each.name == store)
    part = live(options.kind)
    if target is not None:
        options = replace(options, path=target.resolve())
    _refuse_documents(options)
    url = url_of(build(options), project, environment, engines)
    if not url:
        raise ConfigError(
            "store-not-configured",
            f"{store} has no server in this environment",
            where=f"{project.file.name}, [environments.{environment.name}]",
            fix=f"set {store}.url",
        )
    found = part.found(options, url)
    with writing("the file", options.path):
        written = [write(options, each) for each in found if each.operations]
    return Adopted(written, [*_lines(found, "left_out")], [*_lines(found, "to_fill")])


def _lines(found: Sequence[Found], notes: str) -> Iterator[str]:
    return (line for each in found for line in getattr(each, notes))


def _refuse_documents(options: StoreOptions) -> None:
    if any(options.path.glob("[0-9]*_*.y*ml")):
        raise ConfigError(
            "documents-exist",
            f"{options.shown(options.path)} holds files already",
            where=options.name,
            fix="import into another folder to compare: --to FOLDER",
        )
