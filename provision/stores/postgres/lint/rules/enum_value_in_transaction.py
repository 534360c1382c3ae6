"""A new value of an enum that is used before it is committed."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    if not unit.in_transaction or isinstance(unit.body.node, ast.AlterEnumStmt | ast.CommentStmt | None):
        return
    for value, kind in reversed(world.new_values):
        literal = "'" + value.replace("'", "''") + "'"
        at = unit.text.find(literal)
        if at >= 0:
            what = f"{literal} is added to {kind} by the same transaction, which may not use it yet (55P04)"
            fix = "add the value in a revision before this one, whose transaction has ended by then"
            yield Hit(unit, what, fix, kind, at)


RULE = Rule("enum-value-in-transaction", Severity.ERROR, "A new value of an enum that is used too early", check)
