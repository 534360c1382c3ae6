"""A schema as a diagram: tables with their columns and keys, and what refers to what."""

from __future__ import annotations

from typing import NamedTuple


class DiagramColumn(NamedTuple):
    """`marks` are PK, UK and FK."""

    name: str
    type: str
    required: bool
    marks: tuple[str, ...] = ()


class DiagramTable(NamedTuple):
    """`name` as statements write it; of another schema than the usual one with that in front."""

    name: str
    columns: tuple[DiagramColumn, ...]


class DiagramReference(NamedTuple):
    """A foreign key of `child`; `optional`: a row may refer to no `parent`; `single`: one row at most refers to it."""

    child: str
    parent: str
    name: str
    optional: bool
    single: bool


class Diagram(NamedTuple):
    """The tables of a database and their foreign keys, in the order of their names."""

    tables: tuple[DiagramTable, ...]
    references: tuple[DiagramReference, ...]
