"""Two indexes that are the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.world import PostgresWorld


def whole(world: PostgresWorld) -> Iterator[Hit]:
    seen: dict[tuple[str, str], str] = {}
    for index in world.indexes.values():
        form = (index.table, _form(index.node))
        if form in seen:
            what = f"{index.name} is {seen[form]} under another name"
            yield Hit(index.unit, what, f"leave {index.name} out", index.name)
        seen.setdefault(form, index.name)


def _form(node: Any) -> str:
    """All of an index but its name."""
    parts = [
        node.accessMethod,
        node.unique,
        tree.sql(node.whereClause),
        [tree.sql(each) for each in node.indexParams or ()],
    ]
    return repr([*parts, [tree.sql(each) for each in node.indexIncludingParams or ()]]).lower()


RULE = Rule("duplicate-index", Severity.WARNING, "Two indexes that are the same", whole=whole)
