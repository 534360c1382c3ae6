"""A new value of an enum that is used before it is committed."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    if not unit.in_transaction or isinstance(unit.body.node, ast.AlterEnumStmt | ast.CommentStmt | None):
        return
    for value, kind in _added(unit, world):
        literal = "'" + value.replace("'", "''") + "'"
        at = unit.text.find(literal)
        if at >= 0:
            what = f"{literal} is added to {kind} by the same transaction, which may not use it yet (55P04)"
            fix = "add the value in a revision before this one, whose transaction has ended by then"
            yield Hit(unit, what, fix, kind, at)


def _added(unit: Unit, world: PostgresWorld) -> Iterator[tuple[str, str]]:
    """Value and type of each ADD VALUE of this transaction; a type that is made in it takes them at once."""
    made, added = set[str](), list[tuple[str, str]]()
    for each in reversed(world.units):
        if each.file != unit.file or each.name == "TransactionStmt":
            break
        node = each.body.node
        if isinstance(node, ast.CreateEnumStmt):
            made.add(tree.last(node.typeName))
        elif isinstance(node, ast.AlterEnumStmt) and node.newVal and not node.oldVal and each.in_transaction:
            added.append((str(node.newVal), tree.last(node.typeName)))
    return iter([(value, kind) for value, kind in added if kind not in made])


RULE = Rule("enum-value-in-transaction", Severity.ERROR, "A new value of an enum that is used too early", check)
