"""Puts the revisions that this branch adds behind those of another one: files are rewritten and renamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from provision.core import lease
from provision.core.renumber import Renumbered, filename, renumbered, rewritten, unwritten
from provision.errors import ConfigError, RefusedError
from provision.flows import run_lock
from provision.flows.connect import Site
from provision.flows.survey import survey
from provision.text.files import read_text
from provision.text.written import writing
from provision.wiring.branches import base_of, checked_out, read


class RebasedFile(NamedTuple):
    """A file with its new name and text, and the revision; None of a file whose `requires` alone changed."""

    path: Path
    to: Path
    text: str
    moved: Renumbered | None


def rebase(root: Path, onto: str) -> list[RebasedFile]:
    """What would be written, in the order of the revisions. Raises ConfigError (bad-reference, bad-header)."""
    with checked_out(root, onto, base_of(root, onto, onto, "HEAD")) as parted, checked_out(root, onto, onto) as theirs:
        before, other = read(parted).revisions, read(theirs).revisions
    mine = read(root).revisions
    moved = {
        each.revision.id: each
        for store, revisions in mine.items()
        for each in renumbered(before.get(store, ()), other.get(store, ()), revisions)
    }
    ids = {name: each.id for name, each in moved.items() if name != each.id}
    known = {each.id for revisions in before.values() for each in revisions}
    local = [each for revisions in mine.values() for each in revisions if each.id in moved or each.id not in known]
    files = [one for each in local for one in _files(root / each.path, moved.get(each.id), ids)]
    return [each for each in files if each.to != each.path or each.text != read_text(each.path, str(each.path))]


def _files(path: Path, each: Renumbered | None, ids: dict[str, str]) -> Iterator[RebasedFile]:
    for file in (path, path.with_name(path.name.removesuffix(".sql") + ".down.sql")):
        if file.is_file():
            text = read_text(file, str(file))
            python = each if file.suffix == ".py" else None
            if python is not None:
                _refuse(file, list(unwritten(text)))
            to = file.with_name(filename(each, file.name)) if each is not None else file
            yield RebasedFile(file, to, rewritten(text, python, ids), each)


def _refuse(file: Path, names: Sequence[str]) -> None:
    if names:
        what = f"{file.name} does not give its {names[0]} as one text, so that it cannot be rewritten"
        raise ConfigError("bad-header", what, where=str(file), fix="write it as one text, or renumber it by hand")


def refuse_applied(site: Site, moved: Sequence[Renumbered]) -> None:
    """Refuse to renumber what is applied, or begun, in an environment, or what a run may begin with.

    Raises RefusedError (already-applied), LeaseHeld, UnreachableError.
    """
    _refuse_beside(site)
    standings = survey(site)
    _refuse_beside(site)  # one that began meanwhile has written down nothing yet
    for each in moved:
        of = standings[each.revision.store].standings if each.revision.store in standings else {}
        state = of.get(each.revision.id)
        if state is not None and (state.applied or state.state.open):
            what = f"{each.revision.id} is {'applied' if state.applied else 'begun'} in {site.environment.name}"
            fix = f"revert it before, `provision down --steps 1 --only {each.revision.store}`, and rebase then"
            raise RefusedError("already-applied", what, where=each.revision.path, fix=fix)


def _refuse_beside(site: Site) -> None:
    """A run has read the files, and applies them under the names that they have now."""
    if (found := run_lock.at_work(site)) is not None:
        raise lease.held_by(found, 0.0)


def write(files: Sequence[RebasedFile]) -> None:
    """Write them, the last ones first, so that no name is taken yet. Raises ConfigError (unwritable-file)."""
    for each in reversed(files):
        with writing("the file", each.path):
            each.path.write_text(each.text, encoding="utf-8")
            each.path.rename(each.to)
