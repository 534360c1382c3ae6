"""A key that builds its index under a strong lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    for table, each in world.alterations(unit):
        for key in _keys(each):
            what = (
                f"the key of {table} builds its index under ACCESS EXCLUSIVE: nobody reads or writes until it is there"
            )
            fix = "CREATE UNIQUE INDEX CONCURRENTLY first, then ADD CONSTRAINT … UNIQUE USING INDEX"
            yield Hit(unit, what, fix, key.conname or table, tree.place(key))


def _keys(command: Any) -> Iterator[Any]:
    """The keys that a command of an ALTER TABLE adds, alone or with a column, without an index that is there."""
    what = command.subtype.name
    added = tree.constraints(command.def_) if what == "AT_AddColumn" else [command.def_]
    for each in added if what in ("AT_AddColumn", "AT_AddConstraint") else ():
        if tree.kind(each) in ("UNIQUE", "PRIMARY") and not each.indexname:
            yield each


RULE = Rule(
    "key-builds-index", Severity.ERROR, "A key that builds its index under a strong lock", check, predicts="scan"
)
