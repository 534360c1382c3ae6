"""Starts a project and its migration files; reaches no database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from provision.errors import ConfigError, ProvisionError, Several, raise_all
from provision.flows.connect import Build
from provision.model import StoreOptions
from provision.ports.kind import Draft
from provision.settings import ProjectFile
from provision.text.nearest import alike, nearest
from provision.text.written import writing


def begin(
    project: ProjectFile, build: Build, draft: Callable[[str], Draft], store: str, message: str, requires: Sequence[str]
) -> Sequence[Path]:
    """Write the next migration file of a store.

    Raises ConfigError (unknown-store, bad-message, missing-requirement, unwritable-file, what is wrong in its files).
    """
    options = _named(project, store)
    _sound(project, build, store)
    raise_all([error for each in requires for error in _missing(project, build, each)])
    words = " ".join(message.split())
    with writing("the file", options.path):
        return draft(options.kind).write(options, words, requires)


def _named(project: ProjectFile, store: str) -> StoreOptions:
    known = {options.name: options for options in project.stores}
    if store in known:
        return known[store]
    what = f"no store is called {store!r}"
    raise ConfigError("unknown-store", what, where=str(project.file), fix=nearest(store, known))


def _sound(project: ProjectFile, build: Build, store: str) -> frozenset[str] | None:
    """Ids of a store's files, or None when one of them is not filled yet. Raises what is wrong otherwise."""
    try:
        return frozenset(each.id for each in build(_named(project, store)).revisions())
    except ProvisionError as error:
        parts = error.errors if isinstance(error, Several) else (error,)
        raise_all([part for part in parts if part.code != "empty-migration"])
    return None


def _missing(project: ProjectFile, build: Build, needed: str) -> Sequence[ProvisionError]:
    store, _, number = needed.partition("/")
    if store == "backfill" and number:
        return ()
    known = _sound(project, build, store) if number else frozenset()
    if known is None or needed in known:
        return ()
    close = alike(needed, known)
    return (
        ConfigError(
            "missing-requirement",
            f"the new revision would require {needed}, which does not exist",
            where="--requires",
            fix=f"did you mean {close[0]!r}?" if close else "name a revision as store/number, such as postgres/0007",
        ),
    )
