"""A table with ids that keeps a retried insert twice."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.tree import Node
from provision.stores.clickhouse.lint.world import ClickhouseWorld, table_of


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    table = table_of(unit)
    if table is None or table.engine is None or table.engine.name != "MergeTree":
        return
    ids = [name for name, each in table.columns.items() if _identifies(name, table.name) and _is_uuid(each)]
    if ids and not unit.body.says("non_replicated_deduplication_window"):
        what = f"an insert that is sent again makes its rows of {table.name} twice: MergeTree knows no unique {ids[0]}"
        fix = (
            "SETTINGS non_replicated_deduplication_window = 100, here and on the targets of views; or "
            "ReplacingMergeTree"
        )
        yield Hit(unit, what, fix, table.name, unit.body.at("MergeTree"))


def _identifies(name: str, table: str) -> bool:
    return name == "id" or (name.endswith("_id") and table.find(name.removesuffix("_id")) >= 0)


def _is_uuid(column: Node) -> bool:
    return any(each.name == "UUID" for each in column.all("DataType"))


RULE = Rule("no-deduplication", Severity.WARNING, "A table with ids that keeps a retried insert twice", check)
