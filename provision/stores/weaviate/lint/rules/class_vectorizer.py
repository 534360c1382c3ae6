"""The old form of a class with one vector."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name == "create_collection" and "vectorizer" in unit.body and "vectorConfig" not in unit.body:
        what = (
            f"{unit.body.get('class')} has one vector without a name, and no distance is chosen: a second "
            "one needs a new collection"
        )
        yield Hit(
            unit,
            what,
            "vectorConfig with named vectors (1.24), each with its distance",
            str(unit.body.get("class")),
            unit.part("vectorizer"),
        )


RULE = Rule("class-vectorizer", Severity.WARNING, "The old form of a class with one vector", check)
