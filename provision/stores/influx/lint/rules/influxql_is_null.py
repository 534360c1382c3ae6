"""IS NULL in InfluxQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    text = unit.text or str(unit.body.get("statement", "")) + str(unit.body.get("where", ""))
    found = re.search(r"\bIS\s+(?:NOT\s+)?NULL\b", text, re.IGNORECASE)
    if found:
        what = "InfluxQL has no IS NULL: error parsing query"
        at = found.start() if unit.text else None
        yield Hit(
            unit,
            what,
            "leave it out: a point without the field is not counted anyway",
            str(unit.body.get("name", "")),
            at,
        )


RULE = Rule("influxql-is-null", Severity.ERROR, "IS NULL in InfluxQL", check)
