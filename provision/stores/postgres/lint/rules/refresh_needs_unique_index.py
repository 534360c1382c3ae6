"""REFRESH CONCURRENTLY of a view without a unique index."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_REFRESH = re.compile(r"REFRESH\s+MATERIALIZED\s+VIEW\s+CONCURRENTLY\s+(?:\w+\.)?(\w+)", re.IGNORECASE)


def whole(world: PostgresWorld) -> Iterator[Hit]:
    unique = {each.table for each in world.indexes.values() if each.node.unique and each.node.whereClause is None}
    for unit in world.units:
        if not isinstance(
            unit.body.node, ast.CreateFunctionStmt | ast.DoStmt | ast.RefreshMatViewStmt | ast.SelectStmt
        ):
            continue
        for found in _REFRESH.finditer(unit.text):
            name = found[1].lower()
            if name in world.views and name not in unique:
                what = f"{name} has no unique index, and cannot be refreshed concurrently (55000)"
                yield Hit(
                    unit,
                    what,
                    f"CREATE UNIQUE INDEX ON {name} (…), over what makes its rows unique",
                    name,
                    found.start(),
                )


RULE = Rule(
    "refresh-needs-unique-index", Severity.ERROR, "REFRESH CONCURRENTLY of a view without a unique index", whole=whole
)
