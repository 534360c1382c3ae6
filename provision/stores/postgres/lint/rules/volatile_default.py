"""A new column whose default is computed for each row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    for table, each in world.alterations(unit):
        if each.subtype.name == "AT_AddColumn" and _differs(each.def_):
            name = f"{table}.{each.def_.colname}"
            what = f"the default of {name} differs from row to row: the table is rewritten under ACCESS EXCLUSIVE"
            fix = "add the column without a default, set the default for new rows, and fill the old ones by a backfill"
            yield Hit(unit, what, fix, name, tree.place(each.def_))


def _differs(column: Any) -> bool:
    """Whether each row gets a value of its own; a virtual generated column (PostgreSQL 18) is stored nowhere."""
    if tree.type_of(column) in ("serial", "bigserial", "smallserial"):
        return True
    for each in tree.constraints(column):
        if tree.kind(each) == "IDENTITY" or (
            tree.kind(each) == "GENERATED" and getattr(each, "generated_kind", "s") != "v"
        ):
            return True
        if tree.kind(each) == "DEFAULT" and {tree.function(part) for part in tree.walk(each.raw_expr)} & tree.VOLATILE:
            return True
    return False


RULE = Rule(
    "volatile-default", Severity.ERROR, "A new column whose default is computed for each row", check, predicts="rewrite"
)
