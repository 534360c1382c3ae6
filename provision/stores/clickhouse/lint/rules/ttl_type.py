"""A TTL over a DateTime64."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.tree import Node
from provision.stores.clickhouse.lint.world import ClickhouseWorld, table_of


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    table = table_of(unit)
    if table is None or table.ttl is None:
        return
    for element in table.ttl.all("TTLElement"):
        for each in element.children[:1]:
            bare = _bare(each)
            column = table.columns.get(bare) if bare else None
            if column is not None and any(kind.name == "DateTime64" for kind in column.all("DataType")):
                what = f"TTL over {bare}, a DateTime64: servers before 25.7 refuse it (450 BAD_TTL_EXPRESSION)"
                yield Hit(unit, what, f"TTL toDateTime({bare}) + …", f"{table.name}.{bare}", unit.body.at("TTL"))


def _bare(node: Node) -> str:
    """The column that intervals are added to, where no function makes a DateTime of it."""
    if node.kind == "Identifier":
        return node.name
    if node.kind == "Function" and node.name in ("plus", "minus") and node.children:
        return next((name for each in node.children[0].children if (name := _bare(each))), "")
    return ""


RULE = Rule("ttl-type", Severity.WARNING, "A TTL over a DateTime64", check)
