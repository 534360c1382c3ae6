"""An UPDATE of a whole table in a migration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.UpdateStmt | ast.DeleteStmt) or node.relation is None:
        return
    table = tree.name_of(node.relation)
    if world.made_here(table, unit):
        return
    altered = table in world.altered
    word = "UPDATE" if isinstance(node, ast.UpdateStmt) else "DELETE"
    nulls = _fills_nulls(node) and word == "UPDATE"
    if _is_every_row(node.whereClause) or nulls:
        waits = (
            "readers too wait for it, because the same transaction has altered the table"
            if altered and unit.in_transaction
            else "every writer of those rows waits for it"
        )
        what = f"one {word} of all of {table}: {waits}; the table grows to twice its size"
        fix = "a backfill, in batches (`provision backfill`); a constant as DEFAULT of the new column"
        # Of a table of unknown size it is a guess; beside a change of the table it keeps readers out as well.
        yield Hit(unit, what, fix, table, level=None if altered else Severity.WARNING)


def _is_every_row(where: Any) -> bool:
    """No condition, or one that always holds: `true`, `1 = 1`."""
    if isinstance(where, ast.A_Const):
        return isinstance(where.val, ast.Boolean) and bool(where.val.boolval)
    if isinstance(where, ast.A_Expr) and isinstance(where.lexpr, ast.A_Const) and isinstance(where.rexpr, ast.A_Const):
        return tree.last(where.name) == "=" and tree.sql(where.lexpr) == tree.sql(where.rexpr)
    return where is None


def _fills_nulls(node: Any) -> bool:
    """`SET c = … WHERE c IS NULL`: the first time it runs, that is every row."""
    where = node.whereClause
    if not isinstance(where, ast.NullTest) or where.nulltesttype.name != "IS_NULL":
        return False
    return tree.columns_in(where) <= {str(each.name) for each in node.targetList or ()}


RULE = Rule("update-whole-table", Severity.ERROR, "An UPDATE of a whole table in a migration", check, predicts="scan")
