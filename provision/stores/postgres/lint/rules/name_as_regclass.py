"""A column of names cast to regclass."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    for each in tree.walk(unit.body.node):
        if (
            isinstance(each, ast.TypeCast)
            and tree.last(each.typeName.names) == "regclass"
            and isinstance(each.arg, ast.ColumnRef)
        ):
            name = tree.last(each.arg.fields) if isinstance(each.arg.fields[-1], ast.String) else ""
            if name in ("tablename", "relname", "table_name", "indexname", "viewname"):
                what = f"{name}::regclass folds capitals and looks along search_path: other tables fail (42P01)"
                yield Hit(
                    unit,
                    what,
                    "use the oid of pg_class, or format('%I.%I', schemaname, tablename)::regclass",
                    name,
                    tree.place(each.arg),
                )
                return


RULE = Rule("name-as-regclass", Severity.WARNING, "A column of names cast to regclass", check)
