"""A number too small for its own check."""

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
    if not isinstance(node, ast.CreateStmt):
        return
    columns = {str(each.colname): each for each in node.tableElts or () if isinstance(each, ast.ColumnDef)}
    checks = [each.raw_expr for each in tree.walk(node.tableElts) if isinstance(each, ast.Constraint) and each.raw_expr]
    for name, column in columns.items():
        size = tree.modifiers(column)
        if tree.type_of(column) != "numeric" or not size:
            continue
        precision, scale = (*size, 0)[:2]
        largest = (10**precision - 1) / 10**scale
        for each in checks:
            top = highest(each, name)
            if top is not None and top > largest:
                what = (
                    f"{name} may be {top:g} by its check, and numeric({precision},{scale}) ends at "
                    f"{largest:.{scale}f} (22003)"
                )
                yield Hit(
                    unit,
                    what,
                    f"numeric({precision + _more(top, precision - scale)},{scale})",
                    name,
                    tree.place(column),
                )
                break


def _more(top: float, digits: int) -> int:
    return max(len(str(int(top))) - digits, 1)


def highest(expression: Any, column: str) -> float | None:
    """The highest value that a check lets `column` have: `c <= 10`, `c BETWEEN 0 AND 10`; None where it says none."""
    if not isinstance(expression, ast.A_Expr | ast.BoolExpr):
        return None
    if isinstance(expression, ast.BoolExpr):
        found = [highest(each, column) for each in expression.args or ()]
        tops = [each for each in found if each is not None]
        return min(tops) if tops and expression.boolop.name == "AND_EXPR" else None
    left = expression.lexpr
    if (
        not isinstance(left, ast.ColumnRef)
        or not isinstance(left.fields[-1], ast.String)
        or tree.last(left.fields) != column
    ):
        return None
    if expression.kind.name == "AEXPR_BETWEEN":
        return tree.number(expression.rexpr[1])
    return tree.number(expression.rexpr) if expression.name[-1].sval in ("<=", "=") else None


RULE = Rule("decimal-too-small", Severity.ERROR, "A number too small for its own check", check)
