"""The type string."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    for number, each in enumerate(unit.body.get("properties") or () if unit.name == "create_collection" else ()):
        if {"string", "string[]"} & {*each.get("dataType", ())}:
            what = f"{each.get('name')}: the type string is deprecated since 1.19, and clients refuse it"
            yield Hit(
                unit,
                what,
                "text, with tokenization: field for ids and codes",
                f"{unit.body.get('class')}.{each.get('name')}",
                unit.part("properties", number),
            )


RULE = Rule("string-type", Severity.ERROR, "The type string", check)
