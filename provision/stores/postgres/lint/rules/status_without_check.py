"""A column of states that takes any word."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.CreateStmt):
        return
    checked = {
        name
        for each in tree.walk(node.tableElts)
        if isinstance(each, ast.Constraint)
        for name in tree.columns_in(each.raw_expr)
    }
    for column in node.tableElts or ():
        if not isinstance(column, ast.ColumnDef) or tree.type_of(column) not in ("varchar", "text", "bpchar"):
            continue
        name = str(column.colname)
        kinds = {tree.kind(each) for each in tree.constraints(column)}
        if (name == "status" or name.endswith("_status")) and name not in checked and not kinds & {"FOREIGN", "CHECK"}:
            what = f"{name} takes any text: a misspelt state is a state of its own"
            yield Hit(
                unit, what, f"CHECK ({name} IN ('…', '…'))", f"{tree.name_of(node.relation)}.{name}", tree.place(column)
            )


RULE = Rule("status-without-check", Severity.WARNING, "A column of states that takes any word", check)
