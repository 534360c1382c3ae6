"""A name that running programs use is taken away."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.RenameStmt) or node.renameType.name not in ("OBJECT_TABLE", "OBJECT_COLUMN"):
        return
    table = tree.name_of(node.relation)
    if world.made_here(table, unit) or node.relationType.name not in ("OBJECT_TABLE", "OBJECT_ACCESS_METHOD"):
        return
    name = f"{table}.{node.subname}" if node.renameType.name == "OBJECT_COLUMN" else table
    what = (
        f"programs that still say {name} fail from this moment on, until the last of them is restarted (42703, 42P01)"
    )
    yield Hit(
        unit,
        what,
        "add the new name, write both, move the readers, drop the old one; a view can keep a table's old name",
        name,
    )


RULE = Rule(
    "rename-in-use", Severity.WARNING, "A name that running programs use is taken away", check, predicts="stops reads"
)
