"""A unique key that NULL takes apart."""

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
    made = PostgresWorld()
    made.add(unit)
    table = made.tables[tree.name_of(node.relation)]
    for each in node.tableElts or ():
        if not isinstance(each, ast.Constraint) or tree.kind(each) != "UNIQUE" or each.nulls_not_distinct:
            continue
        key = [str(part.sval) for part in each.keys]
        loose = [name for name in key if name in table.columns and name not in table.required]
        if loose and len(loose) < len(key):
            what = f"rows with {loose[0]} NULL are never equal: the key ({', '.join(key)}) lets the same twice"
            yield Hit(
                unit,
                what,
                f"UNIQUE NULLS NOT DISTINCT ({', '.join(key)}) (PostgreSQL 15), or {loose[0]} NOT NULL",
                table.name,
                tree.place(each),
            )


RULE = Rule("unique-with-nulls", Severity.WARNING, "A unique key that NULL takes apart", check)
