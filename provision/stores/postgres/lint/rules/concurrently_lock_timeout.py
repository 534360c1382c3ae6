"""CONCURRENTLY under a lock_timeout."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    value = world.lock_timeout[1].strip("'\"").lower()
    if isinstance(node, ast.IndexStmt) and node.concurrent and value not in ("", "0", "default"):
        what = (
            f"under lock_timeout {value} a build that has to wait for one old transaction ends, and leaves "
            "an INVALID index"
        )
        yield Hit(unit, what, "SET lock_timeout = 0 before it; it blocks nobody while it waits", node.idxname or "")


RULE = Rule("concurrently-lock-timeout", Severity.WARNING, "CONCURRENTLY under a lock_timeout", check)
