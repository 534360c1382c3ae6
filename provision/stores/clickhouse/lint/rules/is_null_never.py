"""IS NULL of a column that cannot be NULL."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld


def check(unit: Unit, world: ClickhouseWorld) -> Iterator[Hit]:
    tree = unit.body.tree
    if tree is None:
        return
    sources = {each.name.rpartition(".")[2] for each in tree.all("TableIdentifier")}
    sources |= {
        each.name for each in tree.children if tree.kind in ("AlterQuery", "DeleteQuery") and each.kind == "Identifier"
    }
    known = [world.tables[each] for each in sources if each in world.tables]
    if len(sources) != 1 or not known or any(each.name.startswith("left") for each in tree.all("TableJoin")):
        return
    for call in tree.all("Function"):
        if call.name in ("isNull", "isNotNull") and call.children and call.children[0].children:
            name = call.children[0].children[0].name
            column = known[0].columns.get(name)
            if column is not None and not any(
                "Nullable" in each.name or each.name in ("Variant", "Dynamic") for each in column.all("DataType")
            ):
                what = (
                    f"{name} is not Nullable: {call.name} is {'false' if call.name == 'isNull' else 'true'} for "
                    "every row"
                )
                yield Hit(
                    unit,
                    what,
                    f"look for the value that stands for none: {name} = 0, isNaN({name}), empty({name})",
                    name,
                    unit.body.at(name, "IS"),
                )


RULE = Rule("is-null-never", Severity.WARNING, "IS NULL of a column that cannot be NULL", check)
