"""What a revision touches of its store, so that two of them can be told apart or found in each other's way."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

KEY, FAMILY = "key", "family of keys"
"""The kinds of a path that goes on by letters: what begins as it does is a part of it."""
_LETTERS = (KEY, FAMILY)


class Access(StrEnum):
    """How a thing is touched. Only two READs, or two CHANGEs, leave the same whichever comes first."""

    READ = "reads"
    CHANGE = "changes"  # in a way that any other change leaves as it is: a column dropped from those of a table
    WRITE = "writes"


class Touch(NamedTuple):
    """A thing of a store and how it is touched. `path` goes from the whole to a part: relation, orders, column, id."""

    path: tuple[str, ...]
    access: Access

    @property
    def name(self) -> str:
        """The name of the object, without its kind and its parts; keys come by their letters."""
        return "".join(self.path[1:]) if self.path[0] in _LETTERS else "".join(self.path[1:2])

    @property
    def words(self) -> str:
        return f"{self.path[0]} {self.name}" if self.path[0] in _LETTERS else " ".join(self.path)


class Touched(NamedTuple):
    """Everything that a revision touches. `unknown` says why that is not all, or not known; empty where it is.

    `names` are kind and name of the objects, without their parts.
    """

    touches: frozenset[Touch] = frozenset()
    unknown: str = ""

    @property
    def names(self) -> frozenset[str]:
        return frozenset(map(_named, self.touches))

    @property
    def written(self) -> frozenset[str]:
        """Of the names, those that are more than read."""
        return frozenset(_named(each) for each in self.touches if each.access is not Access.READ)


def clashes(one: Touched, other: Touched) -> list[tuple[Touch, Touch]]:
    """The touches of both that leave something else when they change places, those that write first."""
    pairs = [
        (mine, theirs)
        for mine in sorted(one.touches)
        for theirs in sorted(other.touches)
        if _overlap(mine.path, theirs.path) and not _either_way(mine.access, theirs.access)
    ]
    return sorted(pairs, key=lambda pair: [each.access is not Access.WRITE for each in pair])


def joined(each: Iterable[Touched]) -> Touched:
    """What several statements touch together; the first reason why something is not known."""
    touches: set[Touch] = set()
    unknown = ""
    for one in each:
        touches |= one.touches
        unknown = unknown or one.unknown
    return Touched(frozenset(touches), unknown)


def reads(*path: str) -> Touch:
    return Touch(path, Access.READ)


def changes(*path: str) -> Touch:
    return Touch(path, Access.CHANGE)


def writes(*path: str) -> Touch:
    return Touch(path, Access.WRITE)


def _named(each: Touch) -> str:
    return f"{each.path[0]} {each.name}"


def _overlap(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one is the other, or a part of it."""
    short = min(len(one), len(other))
    return one[:short] == other[:short]


def _either_way(one: Access, other: Access) -> bool:
    return one is other and one is not Access.WRITE
