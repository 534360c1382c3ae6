"""An underscore in LIKE that means any character."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_PREFIX = re.compile(r"[a-z]+_%", re.IGNORECASE)


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    for each in tree.walk(unit.body.node):
        if (
            isinstance(each, ast.A_Expr)
            and each.kind.name in ("AEXPR_LIKE", "AEXPR_ILIKE")
            and isinstance(each.lexpr, ast.ColumnRef)
        ):
            value = getattr(getattr(each.rexpr, "val", None), "sval", None)
            column = tree.last(each.lexpr.fields) if isinstance(each.lexpr.fields[-1], ast.String) else ""
            if value and _PREFIX.fullmatch(value) and column.endswith("name"):
                what = f"LIKE {value!r} matches names without the underscore too: _ is any one character"
                escaped = value.replace("_", "\\_")
                yield Hit(
                    unit,
                    what,
                    f"write LIKE '{escaped}', or starts_with({column}, '{value[:-1]}')",
                    column,
                    tree.place(each),
                )


RULE = Rule("like-underscore", Severity.WARNING, "An underscore in LIKE that means any character", check)
