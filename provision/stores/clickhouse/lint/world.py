"""What the statements so far have made in a database of ClickHouse."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from provision.model.lint import Unit, World
from provision.stores.clickhouse.lint.changes import commands, dropped, renamed
from provision.stores.clickhouse.lint.tree import Node
from provision.stores.clickhouse.migrate.parse.tokens import Token, depths

_CLAUSES = (("PARTITION", "BY"), ("PRIMARY", "KEY"), ("ORDER", "BY"), ("SAMPLE", "BY"), ("TTL", ""))


@dataclass(frozen=True, slots=True)
class Statement:
    """A parsed statement: its tree, or why there is none, and its words with their places."""

    tree: Node | None
    tokens: tuple[Token, ...]
    refused: str = ""
    refused_at: int = 0

    def at(self, *words: str) -> int:
        """Where these words stand next to each other, whatever their case; 0 where they do not."""
        wanted = [each.lower() for each in words]
        values = [each.value.lower() for each in self.tokens]
        for place in range(len(values) - len(wanted) + 1):
            if values[place : place + len(wanted)] == wanted:
                return self.tokens[place].start
        return 0

    def says(self, word: str) -> bool:
        return any(each.value.lower() == word.lower() for each in self.tokens)


@dataclass
class Table:
    """A table, or the table of a view. `columns`: name → its declaration."""

    name: str
    unit: Unit
    engine: Node | None = None
    columns: dict[str, Node] = field(default_factory=dict)
    partition: Node | None = None
    primary: Node | None = None
    order: Node | None = None
    ttl: Node | None = None

    @property
    def key(self) -> set[str]:
        """The columns that rows are sorted by."""
        return self.order.identifiers() if self.order is not None else set()


@dataclass
class View:
    """A materialized view: what it reads, where it writes to (empty: a table of its own), and its query."""

    name: str
    unit: Unit
    sources: set[str]
    target: str
    query: Node


class ClickhouseWorld(World):
    """Names are without their database."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, Table] = {}
        self.views: dict[str, View] = {}

    def add(self, unit: Unit) -> None:
        super().add(unit)
        if (table := table_of(unit)) is not None:
            self.tables[table.name] = table
        if (view := view_of(unit)) is not None:
            self.views[view.name] = view
        for name in dropped(unit):
            self.tables.pop(name, None)
            self.views.pop(name, None)
        for old, new in renamed(unit):
            _move(self.tables, old, new)
            _move(self.views, old, new)
        self._altered(unit)

    def _altered(self, unit: Unit) -> None:
        name, found = commands(unit)
        for each in found:
            if name in self.tables:
                _column(self.tables[name].columns, each)
            query = each.find("SelectWithUnionQuery") if each.name == "MODIFY_QUERY" else None
            if query is not None and name in self.views:
                self.views[name].query, self.views[name].sources = query, _sources(query)


def _move(kept: dict[str, Any], old: str, new: str) -> None:
    if old in kept:
        kept[new] = kept.pop(old)
        kept[new].name = new


def _column(columns: dict[str, Node], command: Node) -> None:
    """The columns of a table as one command of an ALTER leaves them."""
    first = command.children[0] if command.children else None
    if first is None:
        return
    if command.name in ("ADD_COLUMN", "MODIFY_COLUMN") and first.kind == "ColumnDeclaration":
        columns[first.name] = first
    elif command.name == "DROP_COLUMN":
        columns.pop(first.name, None)
    elif command.name == "RENAME_COLUMN" and first.name in columns:
        columns[command.children[1].name] = columns.pop(first.name)


def _sources(query: Node) -> set[str]:
    return {last(each.name) for each in query.all("TableIdentifier")}


def last(name: str) -> str:
    """The name without its database."""
    return name.replace("`", "").split()[-1].rpartition(".")[2] if name.strip() else ""


def table_of(unit: Unit) -> Table | None:
    """The table that a CREATE TABLE makes; None for every other statement."""
    tree = unit.body.tree
    if tree is None or tree.kind != "CreateQuery" or tree.find("Storage definition") is None:
        return None
    made = Table(last(tree.name), unit)
    for each in tree.all("ColumnDeclaration"):
        made.columns[each.name] = each
    storage = tree.find("Storage definition")
    assert storage is not None
    _storage(made, storage, unit.body.tokens)
    return made


def _storage(table: Table, storage: Node, tokens: tuple[Token, ...]) -> None:
    """The tree gives the clauses in one fixed order and without their names: the words say which there are."""
    parts = list(storage.children)
    if parts and parts[0].kind == "Function" and any(each.word() == "ENGINE" for each in tokens):
        table.engine = parts.pop(0)
    present = clauses(tokens)
    for name, part in zip((each for each in _CLAUSES if each in present), parts, strict=False):
        attribute = {"PARTITION": "partition", "PRIMARY": "primary", "ORDER": "order", "TTL": "ttl"}.get(name[0])
        if attribute:
            setattr(table, attribute, part)


def clauses(tokens: tuple[Token, ...]) -> set[tuple[str, str]]:
    """The clauses of a table's storage that a statement has, outside of all parentheses and before its SELECT."""
    words = [each.word() if depth == 0 else "" for each, depth in zip(tokens, depths(list(tokens)), strict=True)]
    end = words.index("AS") if "AS" in words else len(words)
    found = set()
    for place in range(end):
        pair = (words[place], words[place + 1] if place + 1 < end else "")
        if pair in _CLAUSES:
            found.add(pair)
        elif pair[0] == "TTL":
            found.add(("TTL", ""))
    return found


def view_of(unit: Unit) -> View | None:
    """The materialized view that a statement makes; None for every other statement."""
    tree, tokens = unit.body.tree, unit.body.tokens
    if tree is None or tree.kind != "CreateQuery" or tree.find("ViewTargets") is None:
        return None
    if not unit.body.says("MATERIALIZED"):
        return None
    query = tree.find("SelectWithUnionQuery")
    if query is None:
        return None
    words = [each.word() for each in tokens]
    target = ""
    if "TO" in words and ("AS" not in words or words.index("TO") < words.index("AS")):
        behind = [each.value for each in tokens[words.index("TO") + 1 :][:3]]
        target = behind[2] if behind[1:2] == ["."] else behind[0]
    return View(last(tree.name), unit, _sources(query), target, query)
