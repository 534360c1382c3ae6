"""A CREATE that cannot be run again."""

from __future__ import annotations

from collections.abc import Iterator

from provision.lint.text import behind_word
from provision.model import Severity
from provision.model.lint import Edit, Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld


def check(unit: Unit, world: ClickhouseWorld) -> Iterator[Hit]:
    tree = unit.body.tree
    plain = (
        tree is not None
        and tree.kind == "CreateQuery"
        and not unit.body.at("IF", "NOT", "EXISTS")
        and not unit.body.at("OR", "REPLACE")
    )
    if plain and unit.file not in world.journaled:
        what = (
            "a script that stopped behind this statement cannot be run again (57 TABLE_ALREADY_EXISTS): "
            "nothing is rolled back here"
        )
        at = behind_word(unit.text, "TABLE|VIEW|DICTIONARY|DATABASE|FUNCTION")
        known = unit.start is not None and at >= 0
        edits = (Edit(unit.start + at, unit.start + at, " IF NOT EXISTS"),) if known and unit.start is not None else ()
        yield Hit(unit, what, "CREATE … IF NOT EXISTS", "", edits=edits)


RULE = Rule("create-again", Severity.WARNING, "A CREATE that cannot be run again", check)
