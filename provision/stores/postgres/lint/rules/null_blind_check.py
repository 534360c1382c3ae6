"""A check that NULL slips through."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.CreateStmt | ast.AlterTableStmt):
        return
    for each in tree.walk(node):
        if (
            not isinstance(each, ast.Constraint)
            or not isinstance(each.raw_expr, ast.BoolExpr)
            or each.raw_expr.boolop.name != "OR_EXPR"
        ):
            continue
        absent = {name for arm in each.raw_expr.args for name in _all_null(arm)}
        for arm in each.raw_expr.args:
            compared = tree.columns_in(arm) & absent
            if (
                len(absent) > 1
                and len(compared) > 1
                and not any(isinstance(part, ast.NullTest | ast.CoalesceExpr) for part in tree.walk(arm))
            ):
                names = " and ".join(sorted(compared))
                name = each.conname or "without a name"
                what = f"the check {name} passes when one of {names} is NULL and the other is anything"
                yield Hit(
                    unit,
                    what,
                    "say it of each column alone, or add IS NOT NULL to the second part",
                    each.conname or "",
                    tree.place(each),
                )
                break


def _all_null(arm: Any) -> set[str]:
    """The columns of `a IS NULL AND b IS NULL`."""
    if not isinstance(arm, ast.BoolExpr) or arm.boolop.name != "AND_EXPR":
        return set()
    if not all(isinstance(each, ast.NullTest) and each.nulltesttype.name == "IS_NULL" for each in arm.args):
        return set()
    return tree.columns_in(arm)


RULE = Rule("null-blind-check", Severity.WARNING, "A check that NULL slips through", check)
