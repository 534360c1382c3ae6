"""An index named like another one."""

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
    if not isinstance(node, ast.IndexStmt) or node.if_not_exists:
        return
    other = world.indexes.get(node.idxname or "")
    if other is not None and _schema(other.node) == _schema(node):
        what = (
            f"an index called {node.idxname} is there already, on {other.table}: names of indexes are "
            "schema-wide (42P07)"
        )
        yield Hit(unit, what, f"name the table in it: idx_{tree.name_of(node.relation)}_…", node.idxname)


def _schema(node: Any) -> str:
    return str(node.relation.schemaname or "")


RULE = Rule("index-name-taken", Severity.ERROR, "An index named like another one", check)
