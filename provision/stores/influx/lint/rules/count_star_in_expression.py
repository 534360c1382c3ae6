"""count(*) inside an expression."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    for name, expression in unit.body.get("fields", {}).items() if unit.name == "create_rollup" else ():
        if re.search(r"count\s*\(\s*\*\s*\)", str(expression), re.IGNORECASE) and re.search(
            r"[-+/]|\)\s*\*", str(expression)
        ):
            what = f"{name}: unsupported expression with wildcard: the query is created, and never writes a point"
            at = re.search(r"count\s*\(\s*\*", unit.text, re.IGNORECASE)
            yield Hit(
                unit,
                what,
                "count one field: sum(a) / count(b)",
                str(unit.body["name"]),
                at.start() if at else unit.part("fields", name),
            )


RULE = Rule("count-star-in-expression", Severity.ERROR, "count(*) inside an expression", check)
