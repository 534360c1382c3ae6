"""A table that no file makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def whole(world: PostgresWorld) -> Iterator[Hit]:
    if not world.complete:
        return
    made = set(world.tables) | set(world.views) | {unit for each in world.units for unit in _made(each.body.node)}
    told: set[str] = set()
    for unit in world.units:
        for each in _needed(unit.body.node):
            name = each.relname
            if name not in made and name not in told and not each.schemaname and not name.startswith("pg_"):
                told.add(name)
                what = f"no file makes {name} (42P01 on an empty database)"
                fix = "add the revision that makes it, or say in a comment who does"
                yield Hit(unit, what, fix, name, tree.place(each))


def _made(node: Any) -> set[str]:
    if isinstance(node, ast.CreateStmt):
        return {tree.name_of(node.relation)}
    if isinstance(node, ast.CreateTableAsStmt):
        return {tree.name_of(node.into.rel)}
    if isinstance(node, ast.RenameStmt):
        return {str(node.newname)}
    return {tree.name_of(node.view)} if isinstance(node, ast.ViewStmt) else set()


def _needed(node: Any) -> Iterator[Any]:
    """The tables of foreign keys, indexes, changes and materialized views."""
    if isinstance(node, ast.CreateStmt):
        yield from (each.pktable for each in tree.walk(node) if isinstance(each, ast.Constraint) and each.pktable)
        yield from node.inhRelations or ()
    elif isinstance(node, ast.IndexStmt) or (isinstance(node, ast.AlterTableStmt) and not node.missing_ok):
        yield node.relation
    elif isinstance(node, ast.CreateTableAsStmt):
        own = {each.ctename for each in tree.walk(node.query) if isinstance(each, ast.CommonTableExpr)}
        yield from (
            each for each in tree.walk(node.query) if isinstance(each, ast.RangeVar) and each.relname not in own
        )


RULE = Rule("unknown-table", Severity.WARNING, "A table that no file makes", whole=whole)
