"""A vector kept as a property."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    for number, each in enumerate(unit.body.get("properties") or () if unit.name == "create_collection" else ()):
        name = str(each.get("name", ""))
        if "number[]" in each.get("dataType", ()) and re.search(r"vector|embedding", name, re.IGNORECASE):
            what = f"{name} is stored as numbers and not in the vector index: no search by likeness finds it"
            yield Hit(
                unit,
                what,
                f"a named vector: vectorConfig: {{{name}: …}}, given with the object",
                f"{unit.body.get('class')}.{name}",
                unit.part("properties", number),
            )


RULE = Rule("vector-as-property", Severity.WARNING, "A vector kept as a property", check)
