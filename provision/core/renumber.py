"""Gives the revisions of a branch new numbers and parents, behind those of another. Pure: files are texts here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from provision.model import Revision


class Renumbered(NamedTuple):
    """A revision, its new number, and the number of the one that it now stands on; empty where that is its file's."""

    revision: Revision
    number: str
    parent: str

    @property
    def id(self) -> str:
        return f"{self.revision.store}/{self.number}"


def renumbered(before: Sequence[Revision], onto: Sequence[Revision], mine: Sequence[Revision]) -> list[Renumbered]:
    """What a branch adds to a store, behind what another one added since both had `before`; empty where none did.

    Numbers are counted on from the highest of `onto`; names that are no numbers, as Alembic makes them, stay.
    """
    known = {each.id for each in before}
    local = [each for each in mine if each.id not in known and not each.repeatable]
    new = [each for each in onto if each.id not in known and not each.repeatable]
    if not (local and new):
        return []
    versioned = [each for each in onto if not each.repeatable]
    below = {parent for each in versioned for parent in each.parents}
    head = next(each for each in reversed(versioned) if each.id not in below)
    made: dict[str, Renumbered] = {}
    highest = max((int(each.number) for each in versioned if each.number.isdigit()), default=0)
    for each in local:
        counted = each.number.isdigit()
        number = str(highest + 1).zfill(len(each.number)) if counted else each.number
        highest += counted
        beneath = [made[parent].number for parent in each.parents if parent in made]
        made[each.id] = Renumbered(each, number, beneath[0] if beneath else head.number)
    return list(made.values())


def filename(each: Renumbered, name: str) -> str:
    """The name of its file, or of its way down, with the new number in the place of the old."""
    old = each.revision.number
    return f"{each.number}{name[len(old) :]}" if name.startswith(old) else name


def rewritten(text: str, each: Renumbered | None, ids: Mapping[str, str]) -> str:
    """The text of a file: what it says of its own number and parent, and the `ids` that it requires.

    `each` is the revision of a file of Alembic's; in others the name of the file says it all.
    """
    if each is not None:
        text = _assigned(text, "revision", each.number)
        text = _assigned(text, "down_revision", each.parent)
        text = re.sub(r"^(Revision ID:\s*)\S+", rf"\g<1>{each.number}", text, count=1, flags=re.MULTILINE)
        text = re.sub(r"^(Revises:\s*)\S+", rf"\g<1>{each.parent}", text, count=1, flags=re.MULTILINE)
    # At once, so that what became 0003 is not taken for the 0003 that was.
    names = "|".join(map(re.escape, sorted(ids, key=len, reverse=True)))
    return re.sub(rf"(?<![\w/])(?:{names})(?!\w)", lambda found: ids[found[0]], text) if names else text


def unwritten(text: str) -> Iterator[str]:
    """The names of the header that cannot be rewritten, for they are no text that stands there."""
    for name in ("revision", "down_revision"):
        if not re.search(_HEADER.format(name), text, re.MULTILINE):
            yield name


_HEADER = r"^({}\s*(?::[^=\n]*)?=\s*)(?:\"[^\"\n]*\"|'[^'\n]*'|None)"


def _assigned(text: str, name: str, value: str) -> str:
    return re.sub(_HEADER.format(name), rf'\g<1>"{value}"', text, count=1, flags=re.MULTILINE)
