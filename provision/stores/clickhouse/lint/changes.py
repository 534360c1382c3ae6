"""What statements other than CREATE do to what is there: names that go, names that move, columns that change."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model.lint import Unit
from provision.stores.clickhouse.lint.tree import Node
from provision.stores.clickhouse.migrate.parse.tokens import name_at


def dropped(unit: Unit) -> Iterator[str]:
    """The tables and views that a DROP or DETACH takes away, without their database."""
    tree = unit.body.tree
    if tree is None or tree.kind not in ("DropQuery", "DetachQuery"):
        return
    words = list(unit.body.tokens)
    if any(each.word() in ("DATABASE", "FUNCTION", "ROLE", "USER") for each in words[1:2]):
        return
    index = 1
    while index < len(words):
        found = name_at(words, index)
        if found is None or words[index].word() in ("TABLE", "VIEW", "TEMPORARY", "DICTIONARY", "IF", "EXISTS"):
            index += 1
            continue
        yield found[0].name
        index = found[1]
        if index >= len(words) or words[index].value != ",":
            return


def renamed(unit: Unit) -> Iterator[tuple[str, str]]:
    """Old and new name of each table that a RENAME moves; EXCHANGE leaves both names there."""
    tree = unit.body.tree
    if tree is None or tree.kind != "Rename" or unit.body.says("EXCHANGE"):
        return
    # The tree gives the parts of the names in one row, with a database or without one: the words tell them apart.
    words = list(unit.body.tokens)
    for index, each in enumerate(words):
        if each.word() != "TO" or index == 0:
            continue
        new = name_at(words, index + 1)
        if new is not None and words[index - 1].is_name:
            yield words[index - 1].value, new[0].name


def commands(unit: Unit) -> tuple[str, list[Node]]:
    """The table of an ALTER, without its database, and its commands; an empty name for every other statement."""
    tree = unit.body.tree
    if tree is None or tree.kind != "AlterQuery" or not tree.name.strip():
        return "", []
    return tree.name.split()[-1], list(tree.all("AlterCommand"))
