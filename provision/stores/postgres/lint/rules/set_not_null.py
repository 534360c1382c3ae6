"""SET NOT NULL that reads the whole table."""

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
    if not isinstance(node, ast.AlterTableStmt):
        return
    table = tree.name_of(node.relation)
    if world.made_here(table, unit):
        return
    known = world.tables.get(table)
    proved = {name for each in (known.checks if known else ()) for name in _not_null(each)}
    proved |= known.required if known else set()  # said before, or of a primary key
    for each in node.cmds or ():
        if each.subtype.name == "AT_SetNotNull" and str(each.name) not in proved:
            what = f"SET NOT NULL on {table}.{each.name} reads every row under ACCESS EXCLUSIVE"
            fix = f"CHECK ({each.name} IS NOT NULL) NOT VALID, VALIDATE it, then SET NOT NULL, which reads nothing"
            yield Hit(unit, what, fix, f"{table}.{each.name}")


def _not_null(expression: Any) -> set[str]:
    tests = (each for each in tree.walk(expression) if isinstance(each, ast.NullTest))
    return {name for each in tests if each.nulltesttype.name == "IS_NOT_NULL" for name in tree.columns_in(each)}


RULE = Rule("set-not-null", Severity.ERROR, "SET NOT NULL that reads the whole table", check, predicts="scan")
