"""An extension that is used and not created."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_BROUGHT = {"cron": "pg_cron", "partman": "pg_partman"}
_RELATIONS = {"pg_stat_statements": "pg_stat_statements", "pg_buffercache": "pg_buffercache"}


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if node is None:
        return
    told: set[str] = set()
    for each in tree.walk(node):
        name = _extension(each)
        if name and name not in told and not _made(name, world):
            told.add(name)
            what = f"{name} is used, and no statement before creates the extension (3F000, 42P01)"
            yield Hit(
                unit,
                what,
                f"CREATE EXTENSION IF NOT EXISTS {name}; or a repeatable with `-- needs: extension {name}`",
                name,
                tree.place(each),
            )


def _made(name: str, world: PostgresWorld) -> bool:
    needed = (word for need in world.script.needs for word in need.split())
    return name in needed or any(each.body.node.extname == name for each in world.named("CreateExtensionStmt"))


def _extension(node: Any) -> str:
    if isinstance(node, ast.FuncCall) and len(node.funcname) > 1:
        return _BROUGHT.get(node.funcname[0].sval, "")
    if isinstance(node, ast.RangeVar):
        return _BROUGHT.get(node.schemaname or "", "") or _RELATIONS.get(node.relname, "")
    return ""


RULE = Rule("extension-not-created", Severity.WARNING, "An extension that is used and not created", check)
