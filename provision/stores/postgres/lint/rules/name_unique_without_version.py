"""A unique name in a table that has versions."""

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
    columns = {str(each.colname): each for each in node.tableElts or () if isinstance(each, ast.ColumnDef)}
    made = PostgresWorld()
    made.add(unit)
    table = made.tables[tree.name_of(node.relation)]
    for key in table.keys:
        name = key[0]
        version = name.removesuffix("_name") + "_version"
        if (
            len(key) == 1
            and name.endswith("_name")
            and version in columns
            and not any(len(other) > 1 and name in other for other in table.keys)
        ):
            what = f"{name} alone is unique, so that there is no second {version} of one name (23505)"
            yield Hit(unit, what, f"UNIQUE ({name}, {version})", name, tree.place(columns[name]))


RULE = Rule("name-unique-without-version", Severity.WARNING, "A unique name in a table that has versions", check)
