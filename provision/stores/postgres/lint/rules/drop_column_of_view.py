"""A column that a view reads is dropped or changed."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.AlterTableStmt):
        return
    table = tree.name_of(node.relation)
    for each in node.cmds or ():
        if each.subtype.name not in ("AT_DropColumn", "AT_AlterColumnType") or each.behavior.name == "DROP_CASCADE":
            continue
        for name, view in world.views.items():
            query = view.body.node
            if table in tree.tables_in(query) and str(each.name) in tree.columns_in(query):
                what = f"the view {name} reads {table}.{each.name}: PostgreSQL refuses (2BP01, 0A000)"
                yield Hit(unit, what, f"DROP VIEW {name} first, and make it again afterwards", f"{table}.{each.name}")
                break


RULE = Rule("drop-column-of-view", Severity.ERROR, "A column that a view reads is dropped or changed", check)
