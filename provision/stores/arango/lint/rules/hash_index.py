"""An index of a type that is no more."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name == "create_index" and unit.body.get("type") in ("hash", "skiplist"):
        what = f"{unit.body['type']} is an alias of persistent, deprecated since 3.9"
        at = unit.text.find(unit.body["type"]) if unit.text else None
        yield Hit(unit, what, "type: persistent", str(unit.body.get("collection")), at)


RULE = Rule("hash-index", Severity.WARNING, "An index of a type that is no more", check)
