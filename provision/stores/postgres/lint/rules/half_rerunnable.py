"""A script that can be run again, but for one statement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def whole(world: PostgresWorld) -> Iterator[Hit]:
    again: dict[str, bool] = {}
    for unit in world.units:
        again[unit.file] = again.get(unit.file, False) or _guarded(unit.body.node)
    for unit in world.units:
        if again[unit.file] and unit.file not in world.journaled:
            for name, at in _unguarded(unit.body.node):
                what = (
                    "the script guards other statements (IF NOT EXISTS, OR REPLACE), and a second run stops at "
                    f"{name} (42710)"
                )
                yield Hit(
                    unit,
                    what,
                    "CREATE OR REPLACE TRIGGER; a constraint behind DROP CONSTRAINT IF EXISTS",
                    name,
                    at,
                )


def _guarded(node: Any) -> bool:
    if isinstance(node, ast.CreateStmt | ast.IndexStmt) and node.if_not_exists:
        return True
    if isinstance(node, ast.AlterTableStmt):
        return any(each.missing_ok and each.subtype.name == "AT_AddColumn" for each in node.cmds or ())
    return False


def _unguarded(node: Any) -> Iterator[tuple[str, int | None]]:
    if isinstance(node, ast.CreateTrigStmt) and not node.replace:
        yield f"the trigger {node.trigname}", None
    if isinstance(node, ast.AlterTableStmt) and node.objtype.name == "OBJECT_TABLE":
        for each in node.cmds or ():
            if each.subtype.name == "AT_AddConstraint" and each.def_.conname and not each.def_.indexname:
                yield f"the constraint {each.def_.conname}", tree.place(each.def_)


RULE = Rule("half-rerunnable", Severity.WARNING, "A script that can be run again, but for one statement", whole=whole)
