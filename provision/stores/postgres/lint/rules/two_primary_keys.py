"""A table with two primary keys."""

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
    found = [each for each in tree.walk(node.tableElts) if isinstance(each, ast.Constraint)]
    primary = [each for each in found if tree.kind(each) == "PRIMARY"]
    for each in primary[1:]:
        table = tree.name_of(node.relation)
        what = f"{table} has {len(primary)} primary keys, and a table can have one (42P16)"
        yield Hit(unit, what, "keep one, and make the other UNIQUE (…) NOT NULL", table, tree.place(each))


RULE = Rule("two-primary-keys", Severity.ERROR, "Two primary keys in one table", check)
