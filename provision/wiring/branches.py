"""What two branches of the project's repository add to its stores, each read in a folder of its own. Reads only."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from provision import kinds, settings
from provision.errors import ConfigError
from provision.flows.commutes import BranchRevision, Commuting, Side, compared
from provision.model import Revision, StoreOptions
from provision.model.touches import Touched
from provision.ports.kind import Kind


class BranchTree(NamedTuple):
    """A commit of the project: its stores, and the revisions of each."""

    stores: Mapping[str, StoreOptions]
    revisions: Mapping[str, tuple[Revision, ...]]


def commuting(root: Path, named: str) -> Commuting:
    """`named` is two branches, as `main..feature`; what they add since they parted. The second may be left out.

    Raises ConfigError (bad-reference, what is wrong in the files of a branch).
    """
    left, dots, right = named.partition("..")
    if not (left and dots) or right.startswith("."):
        what = f"{named!r} does not name two branches"
        raise ConfigError("bad-reference", what, where="commutes", fix="write `provision commutes main..feature`")
    right = right or "HEAD"
    base = base_of(root, named, left, right)
    with checked_out(root, named, base) as parted, checked_out(root, named, left) as ours:
        before = read(parted)
        mine = added(read(ours), before)
        with checked_out(root, named, right) as theirs:
            return compared(left, right, mine, added(read(theirs), before))


def base_of(root: Path, named: str, left: str, right: str) -> str:
    """The commit where two branches parted. Raises ConfigError (bad-reference)."""
    return _git(root, named, "merge-base", "--end-of-options", left, right).decode().strip()


def added(tree: BranchTree, before: BranchTree) -> Side:
    """What a commit has that an earlier one had not, or had otherwise. Raises ConfigError (missing-extra)."""
    side = {}
    for name, revisions in tree.revisions.items():
        known = {each.id: each.checksum for each in before.revisions.get(name, ())}
        new = [each for each in revisions if known.get(each.id) != each.checksum]
        if new:
            touched = _touched(tree.stores[name], revisions, [each.id for each in new])
            side[name] = [BranchRevision(each, touched[each.id], each.id in known) for each in new]
    return side


def read(root: Path) -> BranchTree:
    """The stores of a folder with their revisions. Raises ConfigError."""
    project = settings.load(root)
    revisions = {each.name: tuple(kinds.build(each).revisions()) for each in project.stores}
    return BranchTree({each.name: each for each in project.stores}, revisions)


def _touched(options: StoreOptions, revisions: tuple[Revision, ...], wanted: list[str]) -> Mapping[str, Touched]:
    kind: Kind = kinds.named(options.kind, options.name)
    reader = kind.touches()
    if reader is None:
        why = f"what files of kind {kind.name} touch cannot be read"
        return {name: Touched(unknown=why) for name in wanted}
    lacking = [each for each in reader.NEEDS if not kinds.is_installed(each)]
    if lacking:
        what = f"commutes parses with the package {lacking[0]}, which is not installed"
        where = f"provision.toml, [stores.{options.name}]"
        raise ConfigError("missing-extra", what, where=where, fix="pip install 'provision-toolkit[lint]'")
    return reader.touched(options, revisions, wanted)


@contextmanager
def checked_out(root: Path, named: str, reference: str) -> Iterator[Path]:
    """The project's folder as a commit has it, for as long as the block runs."""
    packed = _git(root, named, "archive", "--format=tar", reference)  # of the folder that it is called in
    with tempfile.TemporaryDirectory(prefix="provision-commutes-") as folder:
        with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
            archive.extractall(folder, filter="data")
        yield Path(folder)


def _git(root: Path, named: str, *arguments: str) -> bytes:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, check=False)
    except FileNotFoundError:
        raise ConfigError("bad-reference", "git is not installed", where="commutes", fix="install git") from None
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().split("\n")[0]
        what = f"git cannot compare {named}: {said or 'no common commit'}"
        fix = "name branches or commits that are here; in CI fetch them first (fetch-depth: 0)"
        raise ConfigError("bad-reference", what, where="commutes", fix=fix)
    return done.stdout
