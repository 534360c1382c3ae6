"""What a document says of itself, found without reading its operations: for runs that find every file applied.

Only documents as most people write them have an outline: `description` and `requires` first, each on one line, then
`up` and `down`. Of every other one the whole has to be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

from provision.errors import ProvisionError
from provision.model import Revision, StoreOptions
from provision.text import files

SUFFIXES = (".yaml", ".yml")  # the second is read far enough to be refused
_COMMENT = r"(?: +#[^\n]*| *)\n"
_DESCRIPTION = rf"^description: +([^\W\d_][\w ,.()/;'&+=<>%*!?@$-]*?){_COMMENT}"
_ID = r"[A-Za-z][A-Za-z0-9_-]*/[A-Za-z0-9_][A-Za-z0-9_.-]*"
_REQUIRES = rf"^requires: +\[({_ID}(?:, *{_ID})*)\]{_COMMENT}"
# No other line begins a key of the document: neither a quoted or tagged one, nor one behind a text of several lines.
_SHAPE = re.compile(
    rf"(?P<head>(?: *(?:#[^\n]*)?\n|{_DESCRIPTION}|{_REQUIRES})*)"
    r"up:[^\n]*(?:\n(?: [^\n]*|#[^\n]*|- [^\n]*|-|down:[^\n]*|))*",
    re.MULTILINE,
)
_FOUND = (re.compile(_DESCRIPTION, re.MULTILINE), re.compile(_REQUIRES, re.MULTILINE))
_OTHER_BREAKS = re.compile("[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029\ufeff]")  # YAML ends a line at some of them
_NO_TEXT = ("true", "false", "null")
_ESCAPED = re.compile(r"\\[xuU\n]")


class Outline(NamedTuple):
    """A document's file as far as it is known; `text` is all of it."""

    shown: str
    number: str
    slug: str
    text: str
    description: str
    requires: tuple[str, ...]

    def may_use(self, names: Collection[str]) -> bool:
        """False where no operation of these names can be in it."""
        words = "|".join(map(re.escape, names))
        return bool(_ESCAPED.search(self.text) or re.search(rf"\b(?:{words})\b", self.text))


def outlines(options: StoreOptions) -> Sequence[Outline] | None:
    """Every document of the store's folder in order; None where one has to be read whole, or may be wrong."""
    found = []
    try:
        for path in files.inside(options.path, "*.y*ml", options.root):
            shown = options.shown(path)
            number, slug = files.number_and_slug(path, shown)
            text = files.read_text(path, shown)
            said = header(text)
            if path.suffix != ".yaml" or said is None:
                return None
            description, requires = said
            found.append(Outline(shown, number, slug, text, description or files.described(slug), requires))
    except ProvisionError:
        return None
    found.sort(key=lambda each: (int(each.number), each.slug))
    if files.unread(options, SUFFIXES) or any(
        int(before.number) == int(after.number) for before, after in pairwise(found)
    ):
        return None
    return found


def header(text: str) -> tuple[str, tuple[str, ...]] | None:
    """The description, empty where there is none, and what is required; None where only the full reader can say."""
    shape = None if _OTHER_BREAKS.search(text) else _SHAPE.fullmatch(text)
    if shape is None:
        return None
    said, needed = (pattern.findall(shape["head"]) for pattern in _FOUND)
    if len(said) > 1 or len(needed) > 1 or said in ([each] for each in _NO_TEXT):
        return None
    requires = tuple(re.split(", *", needed[0])) if needed else ()
    return said[0] if said else "", requires


def revisions(store: str, listed: Sequence[Outline]) -> Sequence[Revision]:
    """The documents as revisions, each after the one before; what its operations lose is not known."""
    return [
        Revision(
            store=store,
            number=each.number,
            slug=each.slug,
            description=each.description,
            path=each.shown,
            checksum=files.checksum(each.text),
            parents=(f"{store}/{before.number}",) if before else (),
            requires=each.requires,
        )
        for before, each in pairwise([None, *listed])
        if each is not None
    ]
