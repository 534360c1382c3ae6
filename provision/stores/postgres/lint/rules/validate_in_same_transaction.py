"""NOT VALID and VALIDATE in one transaction."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.AlterTableStmt) or not unit.in_transaction:
        return
    table = tree.name_of(node.relation)
    for each in node.cmds or ():
        added = world.not_valid.get((table, str(each.name)))
        if (
            each.subtype.name == "AT_ValidateConstraint"
            and added is not None
            and added.file == unit.file
            and added.in_transaction
        ):
            what = (
                f"{each.name} is validated in the transaction that adds it: the strong lock is held while every "
                "row is read"
            )
            yield Hit(unit, what, "validate it in the next revision", str(each.name))


RULE = Rule(
    "validate-in-same-transaction",
    Severity.WARNING,
    "NOT VALID and VALIDATE in one transaction",
    check,
    predicts="scan",
)
