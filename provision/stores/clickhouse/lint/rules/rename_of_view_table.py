"""A table is renamed or dropped under a materialized view."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.changes import dropped, renamed
from provision.stores.clickhouse.lint.world import ClickhouseWorld


def check(unit: Unit, world: ClickhouseWorld) -> Iterator[Hit]:
    for old in (*(name for name, _ in renamed(unit)), *dropped(unit)):
        views = [
            each.name
            for each in world.views.values()
            if each.name != old and (old == each.target or old in each.sources)
        ]
        if views:
            named = ", ".join(views)
            what = f"{old} is named by {named}: from now on every insert into their source fails (60 UNKNOWN_TABLE)"
            fix = f"EXCHANGE TABLES, or drop {named} before and make it again after"
            yield Hit(unit, what, fix, old, unit.body.at(old))


RULE = Rule("rename-of-view-table", Severity.ERROR, "A table is renamed or dropped under a materialized view", check)
