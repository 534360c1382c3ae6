"""A column that a materialized view reads is dropped."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.changes import commands
from provision.stores.clickhouse.lint.tree import Node
from provision.stores.clickhouse.lint.world import ClickhouseWorld


def check(unit: Unit, world: ClickhouseWorld) -> Iterator[Hit]:
    table, found = commands(unit)
    for command in found:
        name = command.children[0].name if command.children else ""
        for view in world.views.values() if command.name in ("DROP_COLUMN", "RENAME_COLUMN") else ():
            if (table in view.sources and name in view.query.identifiers()) or (
                table == view.target and name in _columns(view.query)
            ):
                what = (
                    f"the view {view.name} uses {table}.{name}: every insert into its source fails from now on (47, 16)"
                )
                yield Hit(
                    unit,
                    what,
                    f"ALTER TABLE {view.name} MODIFY QUERY … without it, first",
                    f"{table}.{name}",
                    unit.body.at(name),
                )
                break


def _columns(query: Node) -> set[str]:
    return {each.alias for each in query.walk() if each.alias}


RULE = Rule("drop-column-under-view", Severity.ERROR, "A column that a materialized view reads is dropped", check)
