"""Deleting a row deletes its history."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_KEPT = re.compile(r"(?:^|_)(?:history|histories|log|logs|audit|audits|ledger|archive)(?:_|$)")


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.CreateStmt | ast.AlterTableStmt) or not _KEPT.search(tree.name_of(node.relation)):
        return
    for each in tree.walk(node):
        if isinstance(each, ast.Constraint) and tree.kind(each) == "FOREIGN" and each.fk_del_action == "c":
            parent = tree.name_of(each.pktable)
            what = f"deleting a row of {parent} deletes its rows of {tree.name_of(node.relation)}"
            yield Hit(
                unit,
                what,
                "ON DELETE RESTRICT; or SET NULL, with what the row needs to be understood alone",
                parent,
                tree.place(each),
            )


RULE = Rule("cascade-deletes-history", Severity.WARNING, "Deleting a row deletes its history", check)
