"""A constraint that reads the whole table under a strong lock."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Edit, Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    for table, each in world.alterations(unit):
        known = world.tables.get(table)
        if known is not None and known.partitioned is not None:
            return  # a partitioned table takes no foreign key NOT VALID
        kind = tree.kind(each.def_) if each.subtype.name == "AT_AddConstraint" else ""
        if kind in ("CHECK", "FOREIGN") and not each.def_.skip_validation:
            lock = "ACCESS EXCLUSIVE" if kind == "CHECK" else "SHARE ROW EXCLUSIVE, of both tables"
            what = f"ADD CONSTRAINT {each.def_.conname or ''} reads every row of {table} under a lock ({lock})"
            fix = "add it NOT VALID, then VALIDATE CONSTRAINT in the next revision, under a weak lock"
            yield Hit(
                unit,
                " ".join(what.split()),
                fix,
                each.def_.conname or table,
                tree.place(each.def_),
                _edits(unit, unit.body.node),
            )


def _edits(unit: Unit, node: Any) -> tuple[Edit, ...]:
    """NOT VALID and a VALIDATE behind it, where the statement adds one constraint with a name and nothing else."""
    name = getattr(node.cmds[0].def_, "conname", None)
    if unit.start is None or unit.in_transaction or len(node.cmds) != 1 or not name:
        return ()
    end = unit.start + len(unit.text.rstrip())
    table = tree.sql(node.relation)
    return (Edit(end, end, f" NOT VALID;\nALTER TABLE {table} VALIDATE CONSTRAINT {name}"),)


RULE = Rule(
    "constraint-without-not-valid",
    Severity.ERROR,
    "A constraint that reads the whole table under a strong lock",
    check,
    predicts="scan",
)
