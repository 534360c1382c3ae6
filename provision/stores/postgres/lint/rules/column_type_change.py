"""A change of type that rewrites the table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.world import PostgresWorld

_TIMES = ("timestamp", "timestamptz")


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    for table, each in world.alterations(unit):
        if each.subtype.name != "AT_AlterColumnType":
            continue
        known = world.tables.get(table)
        old = known.columns.get(str(each.name)) if known else None
        if not _free(old, each.def_):
            fix = "add a column of the new type, fill it by a backfill, switch over, drop the old one"
            name = f"{table}.{each.name}"
            what, level = _said(name, old, each.def_)
            yield Hit(unit, what, fix, name, tree.place(each.def_), level=level)


def _said(name: str, old: Any, new: Any) -> tuple[str, Severity | None]:
    """Where the text alone does not say whether the table is rewritten, it is a warning."""
    to, was = tree.type_of(new), tree.type_of(old) if old is not None else ""
    if was in _TIMES and to in _TIMES:
        what = f"a new type of {name} takes its times for those of the session's time zone"
        return f"{what}, and rewrites the table where that is not UTC", Severity.WARNING
    if old is None and to in ("varchar", "numeric") and new.raw_default is None:
        return f"a new type of {name} rewrites table and indexes, unless it only makes it longer", Severity.WARNING
    return f"a new type of {name} rewrites table and indexes under ACCESS EXCLUSIVE", None


def _free(old: Any, new: Any) -> bool:
    """Changes that touch no row: the same type, text for varchar, a longer varchar or numeric of the same scale."""
    to, size = tree.type_of(new), tree.modifiers(new)
    if old is None:
        return to == "text" and new.raw_default is None
    was, before = tree.type_of(old), tree.modifiers(old)
    if was == to and before == size and tree.is_array(old) == tree.is_array(new):
        return new.raw_default is None or tree.columns_in(new.raw_default) == {str(old.colname)}
    if to == "text" or (to == "varchar" and not size):
        return was in ("varchar", "text")
    if to == was == "varchar":
        return bool(before) and size[0] >= before[0]
    return to == was == "numeric" and (
        not size or (len(size) == len(before) == 2 and size[1] == before[1] and size[0] >= before[0])
    )


RULE = Rule("column-type-change", Severity.ERROR, "A change of type that rewrites the table", check, predicts="rewrite")
