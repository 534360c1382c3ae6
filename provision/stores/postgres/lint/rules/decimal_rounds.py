"""A number that rounds its own range away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_SHARE = re.compile(
    r"(?:_rate|_ratio|_score|_threshold|_tolerance|_level|_factor|_weight|_sensitivity|confidence|probability)$"
)


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.CreateStmt | ast.AlterTableStmt):
        return
    for column in (each for each in tree.walk(node) if isinstance(each, ast.ColumnDef) and each.typeName is not None):
        size = tree.modifiers(column)
        name = str(column.colname)
        if (
            tree.type_of(column) == "numeric"
            and len(size) == 2
            and size[0] - size[1] == 1
            and size[1] <= 3
            and _SHARE.search(name)
        ):
            nearly = "0." + "9" * size[1] + "5"
            what = f"{name} is a share from 0 to 1 with {size[1]} digits: {nearly} is stored as 1, without a word"
            yield Hit(unit, what, "numeric(5,4) or more; and CHECK (… BETWEEN 0 AND 1)", name, tree.place(column))


RULE = Rule("decimal-rounds", Severity.WARNING, "A number that rounds its own range away", check)
