"""A required column without a value for the rows that are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.world import PostgresWorld

_VALUES = ("DEFAULT", "GENERATED", "IDENTITY")


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    for table, each in world.alterations(unit):
        if each.subtype.name == "AT_AddColumn" and _lacks(each.def_) and not world.emptied_here(table, unit):
            what = f"{table}.{each.def_.colname} is NOT NULL and has no default: refused (23502) once {table} has a row"
            fix = "a constant DEFAULT; or add it without NOT NULL, fill it by a backfill, then SET NOT NULL"
            yield Hit(unit, what, fix, f"{table}.{each.def_.colname}", tree.place(each.def_))


def _lacks(column: Any) -> bool:
    kinds = {tree.kind(each) for each in tree.constraints(column)}
    required = kinds & {"NOTNULL", "PRIMARY"}
    return bool(required) and not kinds & {*_VALUES} and "serial" not in tree.type_of(column)


RULE = Rule(
    "column-without-default", Severity.ERROR, "A required column without a value for the rows that are there", check
)
