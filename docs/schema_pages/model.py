"""A schema as the pages show it, whichever store it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Column:
    """`default` is empty when there is none; `marks` are PK, UK and FK."""

    name: str
    type: str
    null: bool
    default: str
    comment: str
    marks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reference:
    """A line of a diagram: `many` rows of the child for one of the parent; `optional` when the child may have none."""

    child: str
    parent: str
    name: str
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Relation:
    """A table, view or materialized view. `facts` are lines such as the partition key; `parts` titled lists."""

    name: str
    kind: str
    comment: str
    columns: Sequence[Column]
    facts: Sequence[str] = ()
    parts: Sequence[tuple[str, Sequence[tuple[str, str]]]] = ()
    references: Sequence[Reference] = field(default=())


@dataclass(frozen=True, slots=True)
class Routine:
    """A function: how it is called, what it gives back, what it does."""

    signature: str
    returns: str
    comment: str
