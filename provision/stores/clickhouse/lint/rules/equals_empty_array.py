"""An array compared with []."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    tree = unit.body.tree
    for call in tree.all("Function") if tree is not None else ():
        arguments = call.children[0].children if call.children else []
        if call.name in ("equals", "notEquals") and any(
            each.kind == "Literal" and each.name == "Array_[]" for each in arguments
        ):
            name = next((each.name for each in arguments if each.kind == "Identifier"), "the array")
            fix = f"{'empty' if call.name == 'equals' else 'notEmpty'}({name})"
            yield Hit(
                unit,
                f"{name} is compared with []: the whole arrays are read to know their length",
                fix,
                name,
                unit.body.at(name),
            )


RULE = Rule("equals-empty-array", Severity.WARNING, "An array compared with []", check)
