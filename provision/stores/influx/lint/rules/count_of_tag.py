"""count() of what is probably a tag."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    for name, expression in unit.body.get("fields", {}).items() if unit.name == "create_rollup" else ():
        found = re.search(r"count\s*\(\s*\"?(\w+_id|id)\"?\s*\)", str(expression), re.IGNORECASE)
        if found:
            what = f"count({found[1]}): an id is usually a tag, and functions of tags give nothing, without an error"
            at = re.search(rf"count\s*\(\s*\"?{found[1]}", unit.text, re.IGNORECASE)
            yield Hit(
                unit,
                what,
                "count a field that every point has",
                str(unit.body["name"]),
                at.start() if at else unit.part("fields", name),
            )


RULE = Rule("count-of-tag", Severity.WARNING, "count() of what is probably a tag", check)
