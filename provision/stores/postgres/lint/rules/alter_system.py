"""A migration that changes the whole server."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if isinstance(node, ast.AlterSystemStmt):
        name = node.setstmt.name or "ALL"
        if unit.in_transaction:
            what = f"ALTER SYSTEM SET {name} in a transaction block (25001)"
            yield Hit(
                unit, what, "take it out of the migrations: `provision tune`, or the server's configuration", name
            )
        else:
            what = (
                f"ALTER SYSTEM SET {name} changes every database of the server; a migration tool's transaction "
                "refuses it (25001)"
            )
            yield Hit(unit, what, "leave it to the server's configuration", name)


RULE = Rule("alter-system", Severity.WARNING, "A migration that changes the whole server", check)
