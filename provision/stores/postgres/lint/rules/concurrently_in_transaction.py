"""CONCURRENTLY inside a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not unit.in_transaction:
        return
    detach = isinstance(node, ast.AlterTableStmt) and any(_detaches(each) for each in node.cmds or ())
    reindex = isinstance(node, ast.ReindexStmt) and any(each.defname == "concurrently" for each in node.params or ())
    index = isinstance(node, ast.IndexStmt | ast.DropStmt) and node.concurrent
    if detach or reindex or index or (isinstance(node, ast.VacuumStmt) and node.is_vacuumcmd):
        words = "VACUUM" if isinstance(node, ast.VacuumStmt) else "CONCURRENTLY"
        what = f"{words} cannot run inside a transaction block (25001)"
        yield Hit(unit, what, "take it out of BEGIN … COMMIT; in Alembic: with op.get_context().autocommit_block()")


def _detaches(command: Any) -> bool:
    return command.subtype.name == "AT_DetachPartition" and bool(getattr(command.def_, "concurrent", False))


RULE = Rule("concurrently-in-transaction", Severity.ERROR, "CONCURRENTLY inside a transaction", check)
