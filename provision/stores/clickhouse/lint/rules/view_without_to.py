"""A materialized view that keeps its rows to itself."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld, view_of


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    view = view_of(unit)
    if view is not None and not view.target:
        what = (
            f"{view.name} keeps its rows in a hidden table: DROP VIEW deletes them, and what was there "
            "before it is not in it"
        )
        fix = "make the table first, then CREATE MATERIALIZED VIEW … TO it, and INSERT … SELECT what is older"
        yield Hit(unit, what, fix, view.name)


RULE = Rule("view-without-to", Severity.WARNING, "A materialized view that keeps its rows to itself", check)
