"""updated_at that nothing updates."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.world import PostgresWorld


def whole(world: PostgresWorld) -> Iterator[Hit]:
    kept = {tree.name_of(each.body.node.relation) for each in world.triggers if each.body.node.timing & 2}  # BEFORE
    setting = any("updated_at" in each.text for each in world.functions.values())
    if not setting:  # the application sets it, in every table alike
        return
    for table in world.tables.values():
        column = table.columns.get("updated_at")
        if column is None or table.name in kept or table.parent:
            continue
        if any(tree.kind(each) == "DEFAULT" for each in tree.constraints(column)):
            what = (
                f"updated_at of {table.name} is set when a row is made and never again: other tables have a "
                "trigger for it"
            )
            fix = f"CREATE TRIGGER … BEFORE UPDATE ON {table.name}"
            yield Hit(table.unit, what, fix, f"{table.name}.updated_at", tree.place(column))


RULE = Rule("updated-at-never-updated", Severity.WARNING, "updated_at that nothing updates", whole=whole)
