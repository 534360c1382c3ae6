"""Whether the revisions of two branches leave the same, whichever branch is merged first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provision.model import Revision
from provision.model.touches import Touched, clashes

NAMED = 3  # things that are named of two revisions that clash in more


class BranchRevision(NamedTuple):
    """A revision that one branch adds, and what it touches. `edited`: the other branch has its file otherwise."""

    revision: Revision
    touched: Touched
    edited: bool = False


class BranchConflict(NamedTuple):
    """Two revisions that may not change places: `why` in words; `unknown` where one of them could not be read."""

    store: str
    left: Revision
    right: Revision
    why: str
    unknown: bool


class Commuting(NamedTuple):
    """What was compared: names of the branches, the revisions of each by store, and what is in the way.

    `renumber` are ids that both branches gave to different files.
    """

    left: str
    right: str
    revisions: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]
    conflicts: tuple[BranchConflict, ...]
    renumber: tuple[str, ...]

    @property
    def commute(self) -> bool:
        return not self.conflicts


Side = Mapping[str, Sequence[BranchRevision]]
"""Name of a store → what one branch adds to it, in order."""


def compared(left: str, right: str, ours: Side, theirs: Side) -> Commuting:
    """Every revision of one branch beside every one of the other, store by store."""
    stores = [name for name in dict.fromkeys((*ours, *theirs)) if ours.get(name) or theirs.get(name)]
    found = [each for name in stores for each in _of_store(name, ours.get(name, ()), theirs.get(name, ()))]
    ids = {name: (_ids(ours.get(name, ())), _ids(theirs.get(name, ()))) for name in stores}
    taken = [each for mine, other in ids.values() for each in mine if each in other]
    return Commuting(left, right, ids, tuple(found), tuple(taken))


def _ids(side: Sequence[BranchRevision]) -> tuple[str, ...]:
    return tuple(each.revision.id for each in side)


def _of_store(store: str, ours: Sequence[BranchRevision], theirs: Sequence[BranchRevision]) -> Iterator[BranchConflict]:
    for mine in ours:
        for other in theirs:
            unknown = _unknown(mine) or _unknown(other)
            if unknown:
                yield BranchConflict(store, mine.revision, other.revision, unknown, unknown=True)
            elif why := _clash(mine, other):
                yield BranchConflict(store, mine.revision, other.revision, why, unknown=False)


def _unknown(each: BranchRevision) -> str:
    if each.edited:
        return f"{each.revision.path} was there before the branches parted, and was edited since"
    return each.touched.unknown


def _clash(mine: BranchRevision, other: BranchRevision) -> str:
    found = clashes(mine.touched, other.touched)
    said = list(dict.fromkeys(_said(one.access, two.access, max(one.words, two.words, key=len)) for one, two in found))
    more = f"; and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return "; ".join(said[:NAMED]) + more


def _said(one: str, two: str, thing: str) -> str:
    return f"both {one.removesuffix('s')} {thing}" if one == two else f"one {one} and the other {two} {thing}"
