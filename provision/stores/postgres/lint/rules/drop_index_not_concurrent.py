"""Dropping an index stops its table."""

from __future__ import annotations

from collections.abc import Iterator

from provision.lint.text import behind_word
from provision.model import Severity
from provision.model.lint import Edit, Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.DropStmt) or node.removeType.name != "OBJECT_INDEX" or node.concurrent:
        return
    names = [tree.last(each) for each in node.objects]
    for name in names:
        index = world.indexes.get(name)
        if index is None or not world.made_here(index.table, unit):
            what = f"DROP INDEX {name} takes ACCESS EXCLUSIVE on its table, and waits behind every query that runs"
            at = behind_word(unit.text, "INDEX")
            alone = unit.start is not None and len(names) == 1 and at >= 0 and not unit.in_transaction
            edits = (
                (Edit(unit.start + at, unit.start + at, " CONCURRENTLY"),) if alone and unit.start is not None else ()
            )
            yield Hit(unit, what, "DROP INDEX CONCURRENTLY, outside of a transaction", name, edits=edits)


RULE = Rule(
    "drop-index-not-concurrent", Severity.WARNING, "Dropping an index stops its table", check, predicts="stops reads"
)
