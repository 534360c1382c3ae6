"""A document that is no statement."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit, World


def check(unit: Unit, _world: World) -> Iterator[Hit]:
    if unit.name == "loose_object":
        what = "a document alone is read as a block: SyntaxError: Unexpected token ':', and nothing of the file runs"
        yield Hit(unit, what, "db.collection.insert({ … });")


RULE = Rule("arangosh-syntax", Severity.ERROR, "A document that is no statement", check)
