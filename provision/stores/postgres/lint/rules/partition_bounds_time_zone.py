"""Bounds of a partition that depend on the session."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_ZONED = re.compile(r"(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$", re.IGNORECASE)


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.CreateStmt) or node.partbound is None or not node.inhRelations:
        return
    parent = world.tables.get(tree.name_of(node.inhRelations[0]))
    if parent is None:
        return
    column = parent.columns.get((parent.partitioned or ("",))[0]) if parent.partitioned else _only(parent.columns)
    if column is None or tree.type_of(column) not in ("timestamptz", "timestamp with time zone"):
        return
    for each in (*(node.partbound.lowerdatums or ()), *(node.partbound.upperdatums or ())):
        value = getattr(getattr(each, "val", None), "sval", None)
        if value is not None and re.match(r"\d{4}-", value) and not _ZONED.search(value[8:]):
            what = f"the bound {value!r} means midnight of whatever TimeZone the session has"
            yield Hit(
                unit, what, f"write the zone: '{value[:10]} 00:00:00+00'", tree.name_of(node.relation), tree.place(each)
            )
            return


def _only(columns: dict[str, Any]) -> Any:
    """The one column of time there is, of a table that forgot to say by what it is partitioned."""
    found = [each for name, each in columns.items() if tree.type_of(each) == "timestamptz" and name != "created_at"]
    return found[0] if len(found) == 1 else None


RULE = Rule("partition-bounds-time-zone", Severity.WARNING, "Bounds of a partition that depend on the session", check)
