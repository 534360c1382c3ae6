"""A hand-made partition that pg_partman cannot name."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def whole(world: PostgresWorld) -> Iterator[Hit]:
    managed = set()
    for unit in world.units:
        for call in tree.walk(unit.body.node):
            if isinstance(call, ast.FuncCall) and tree.function(call) == "create_parent":
                texts = [
                    getattr(getattr(each.arg if isinstance(each, ast.NamedArgExpr) else each, "val", None), "sval", "")
                    for each in call.args or ()
                ]
                managed |= {text.rpartition(".")[2] for text in texts if text}
    for table in world.tables.values():
        _, mark, behind = table.name.rpartition("_p")
        if table.parent in managed and mark and not re.match(r"\d{4}", behind):
            what = (
                f"pg_partman reads the date of {table.name} behind `_p`, and stops the maintenance of every "
                "table (P0001)"
            )
            yield Hit(
                table.unit, what, f"call it {table.parent}_pYYYY_MM, or let p_start_partition make it", table.name
            )


RULE = Rule("partman-partition-name", Severity.ERROR, "A hand-made partition that pg_partman cannot name", whole=whole)
