"""now() in the predicate or the expression of an index."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.IndexStmt):
        return
    for part in (node.whereClause, *(each.expr for each in node.indexParams or ())):
        call = tree.clock(part)
        if call is not None:
            what = f"the index {node.idxname or ''} asks for the time: functions in an index must be immutable (42P17)"
            fix = "leave the condition on time out; partitions by time, or a BRIN index, do what it was meant for"
            yield Hit(unit, what.replace("  ", " "), fix, node.idxname or "", tree.place(call))
            return


RULE = Rule("index-clock", Severity.ERROR, "The time in an index", check)
