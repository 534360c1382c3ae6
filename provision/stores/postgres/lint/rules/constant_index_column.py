"""An index column that its condition makes constant."""

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
    if (
        not isinstance(node, ast.IndexStmt)
        or node.whereClause is None
        or len(node.indexParams or ()) < 2
        or node.unique
    ):
        return
    arms = (
        node.whereClause.args
        if isinstance(node.whereClause, ast.BoolExpr) and node.whereClause.boolop.name == "AND_EXPR"
        else (node.whereClause,)
    )
    fixed = {tree.last(each.lexpr.fields) for each in arms if _equality(each)}
    for each in node.indexParams:
        if each.name in fixed:
            what = (
                f"the condition of {node.idxname or 'the index'} fixes {each.name}: as a column it is the same "
                "in every entry"
            )
            yield Hit(
                unit,
                what,
                f"leave {each.name} out of the columns",
                node.idxname or "",
                tree.place(each),
            )


def _equality(node: Any) -> bool:
    simple = isinstance(node, ast.A_Expr) and node.kind.name == "AEXPR_OP" and node.name[-1].sval == "="
    return (
        simple
        and isinstance(node.lexpr, ast.ColumnRef)
        and isinstance(node.lexpr.fields[-1], ast.String)
        and isinstance(node.rexpr, ast.A_Const)
        and not isinstance(node.rexpr.val, ast.Boolean)  # a flag costs an index nothing
    )


RULE = Rule("constant-index-column", Severity.WARNING, "An index column that its condition makes constant", check)
