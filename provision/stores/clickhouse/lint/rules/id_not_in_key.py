"""A table that has to be read whole to find one id."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld, table_of


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    table = table_of(unit)
    if table is None or table.order is None or "id" not in table.columns or "id" in table.key:
        return
    indexed = {name for each in unit.body.tree.all("Index") for name in each.identifiers()}
    if (
        "id" not in indexed
        and not unit.body.says("projection")
        and table.engine is not None
        and table.engine.name.endswith("MergeTree")
    ):
        what = f"id is not in ORDER BY of {table.name} and has no index: a search for one id reads every row"
        fix = "give those who look it up the columns of the key too, or add INDEX by_id id TYPE bloom_filter(0.01)"
        yield Hit(unit, what, fix, f"{table.name}.id", unit.body.at("ORDER", "BY"))


RULE = Rule("id-not-in-key", Severity.WARNING, "A table that has to be read whole to find one id", check)
