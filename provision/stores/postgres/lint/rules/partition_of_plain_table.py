"""A partition of a table that is not partitioned."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.calls import partitioning_calls
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if isinstance(node, ast.CreateStmt) and node.partbound is not None and node.inhRelations:
        parent = tree.name_of(node.inhRelations[0])
        if _is_plain(world, parent):
            yield _hit(unit, parent, "its column of time", tree.place(node.inhRelations[0]))
    if isinstance(node, ast.SelectStmt):
        for table, column, call in partitioning_calls(node, world):
            if _is_plain(world, table):
                yield _hit(unit, table, column, tree.place(call))


def _is_plain(world: PostgresWorld, table: str) -> bool:
    found = world.tables.get(table)
    return found is not None and found.partitioned is None and isinstance(found.unit.body.node, ast.CreateStmt)


def _hit(unit: Unit, table: str, column: str, at: int | None) -> Hit:
    what = f"{table} is made without PARTITION BY, and takes no partitions (42P17)"
    return Hit(unit, what, f"make it with PARTITION BY RANGE ({column}); a table cannot become one later", table, at)


RULE = Rule("partition-of-plain-table", Severity.ERROR, "A partition of a table that is not partitioned", check)
