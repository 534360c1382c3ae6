"""What a statement can take away, as far as its text says; and the names that it gives to what it keeps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

Name = tuple[str, ...]  # (name,) or (schema, name), as the server takes them; () where the text does not say it
UNREAD = "_unread_"  # in place of what code puts into a text
_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")


class Takes(StrEnum):
    """What is taken away; the last four take the columns and tables that need them along."""

    TABLE = "table"
    COLUMN = "column"
    ROWS = "rows"
    EVERY_ROW = "every row"
    SEQUENCE = "sequence"
    SCHEMA = "schema"
    DATABASE = "database"
    OWNED = "owned"
    LARGE_OBJECTS = "large objects"
    TYPE = "type"
    EXTENSION = "extension"
    COLLATION = "collation"
    ACCESS_METHOD = "access method"


_WORDS = {
    Takes.TABLE: "drops table {name} and its rows",
    Takes.COLUMN: "drops column {column} of {name} and its values",
    Takes.ROWS: "deletes rows of {name}",
    Takes.EVERY_ROW: "empties table {name}",
    Takes.SEQUENCE: "drops sequence {name} and its value",
    Takes.SCHEMA: "drops schema {name} and what is in it",
    Takes.DATABASE: "drops database {name} and everything in it",
    Takes.OWNED: "drops everything that role {name} owns",
    Takes.LARGE_OBJECTS: "deletes large objects",
    **{
        kind: f"drops {kind} {{name}} and the columns and tables that need it"
        for kind in (Takes.TYPE, Takes.EXTENSION, Takes.COLLATION, Takes.ACCESS_METHOD)
    },
}


@dataclass(frozen=True, slots=True)
class Loss:
    """One thing that goes. `only`: partitions and children stay; `cascade`: of a TRUNCATE, what refers to it goes too.

    `shown` is the name as written, where a rename in the same text led to another one.
    """

    takes: Takes
    name: Name = ()
    column: str = ""
    only: bool = False
    cascade: bool = False
    shown: Name = ()

    def __str__(self) -> str:
        name, column = written(self.shown or self.name), written((self.column,))
        return _WORDS[self.takes].format(name=name, column=column)

    @property
    def readable(self) -> bool:
        """Whether the text says what goes."""
        said = bool(self.name) and not any(UNREAD in part for part in (*self.name, self.column))
        return said or self.takes is Takes.LARGE_OBJECTS


@dataclass(frozen=True, slots=True)
class Rename:
    """A table, or with `column` one of its columns, that goes on under another name."""

    old: Name
    new: Name
    column: str = ""
    becomes: str = ""


Effect = Loss | Rename


def written(name: Name) -> str:
    """A name for people, quoted where SQL needs it."""
    parts = [part.replace(UNREAD, "…") for part in name if part]
    return ".".join(part if _PLAIN.match(part) or "…" in part else f'"{part}"' for part in parts) or "…"


def same(one: Name, other: Name) -> bool:
    """Whether two names can mean the same table: one without a schema can be in any."""
    return bool(one and other) and one[-1] == other[-1] and (len(one) == 1 or len(other) == 1 or one == other)


def as_before(effects: Iterable[Effect]) -> Iterator[Loss]:
    """The losses, each under the name that its table and column had before the first effect.

    Without those of a name that a rename made free: that one was made in between.
    """
    renames: list[Rename] = []
    for effect in effects:
        if isinstance(effect, Rename):
            renames.append(effect)
        elif (found := before(effect, renames)) is not None:
            yield found


def before(loss: Loss, renames: Sequence[Rename]) -> Loss | None:
    """The loss under the name from before the renames, None where nothing had that name."""
    found = loss
    for each in reversed(renames):
        table = each.old if each.column else each.new
        if each.column and same(table, found.name) and found.column:
            if found.column == each.column:
                return None
            found = replace(found, column=each.column) if found.column == each.becomes else found
        elif not each.column and same(table, found.name):
            found = replace(found, name=each.old)
        elif not each.column and same(each.old, found.name):
            return None
    return found if found == loss else replace(found, shown=loss.name)
