"""A partition for each tenant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld, table_of

_ONE_OF_MANY = re.compile(
    r"(?:^|_)(?:tenant|user|customer|client|account|org|organisation|organization|company|device|session|host|symbol|ticker)"
    r"(?:_|$)|(?:^|_)(?:id|uuid)$",
    re.IGNORECASE,
)
_MANY = ("String", "UUID", "FixedString", "UInt64", "Int64", "IPv4", "IPv6")


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    table = table_of(unit)
    if table is None or table.partition is None:
        return
    parts = [each for child in table.partition.children for each in child.children] or [table.partition]
    for each in parts if table.partition.name == "tuple" else [table.partition]:
        column = table.columns.get(each.name) if each.kind == "Identifier" else None
        if (
            column is None
            or not _ONE_OF_MANY.search(each.name)
            or any(kind.name == "LowCardinality" for kind in column.all("DataType"))
        ):
            continue
        if any(kind.name in _MANY for kind in column.all("DataType")):
            what = (
                f"a partition for each {each.name}: an insert of more than 100 of them is refused (252 TOO_MANY_PARTS)"
            )
            fix = f"PARTITION BY the month alone, and {each.name} first in ORDER BY"
            yield Hit(unit, what, fix, f"{table.name}.{each.name}", unit.body.at("PARTITION", "BY"))


RULE = Rule("partition-by-tenant", Severity.ERROR, "A partition for each tenant", check)
