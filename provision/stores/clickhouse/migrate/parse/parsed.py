"""What is read in a statement: what it touches, what it can lose, what it renames."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from provision.stores.clickhouse.migrate.parse.alter import Effect
from provision.stores.clickhouse.migrate.parse.tokens import Name


class StatementLoss(NamedTuple):
    """What a statement can lose, in words, and of what: a table or, with an empty name, a whole database.

    `name` is None where the statement does not say it.
    """

    words: str
    name: Name | None
    column: str = ""


class StatementRename(NamedTuple):
    """A table, or with `column` one of its columns, that goes on as `new`; with `swap` both change places.

    An empty name stands for every table of the database.
    """

    old: Name
    new: Name
    column: str = ""
    becomes: str = ""
    swap: bool = False


@dataclass(slots=True)
class Parsed:
    verb: str
    summary: str
    touches: list[Name] = field(default_factory=list)
    loses: list[StatementLoss] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    objects: str = "table"
    renames: list[StatementRename] = field(default_factory=list)
    adds: list[tuple[Name, str]] = field(default_factory=list)
