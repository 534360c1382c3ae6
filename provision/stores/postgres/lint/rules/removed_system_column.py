"""A column that a system view does not have."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_RENAMED = {
    "pg_stat_statements": {
        "total_time": "total_exec_time", "mean_time": "mean_exec_time", "min_time": "min_exec_time",
        "max_time": "max_exec_time", "stddev_time": "stddev_exec_time", "blk_read_time": "shared_blk_read_time",
        "blk_write_time": "shared_blk_write_time",
    },
    "pg_stat_user_indexes": {"tablename": "relname", "indexname": "indexrelname"},
    "pg_stat_user_tables": {"tablename": "relname"},
    "pg_statio_user_tables": {"tablename": "relname"},
    "pg_stat_activity": {"procpid": "pid", "current_query": "query", "waiting": "wait_event"},
}  # fmt: skip


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if node is None:
        return
    for select in tree.walk(node):
        if not isinstance(select, ast.SelectStmt) or len(select.fromClause or ()) != 1:
            continue
        relation = select.fromClause[0]
        renamed = _RENAMED.get(relation.relname, {}) if isinstance(relation, ast.RangeVar) else {}
        own = {each.name for each in select.targetList or () if each.name}
        told: set[str] = set()
        for each in tree.walk(select) if renamed else ():
            name = (
                tree.last(each.fields)
                if isinstance(each, ast.ColumnRef) and isinstance(each.fields[-1], ast.String)
                else ""
            )
            if name in renamed and name not in told and name not in own:
                told.add(name)
                what = f"{relation.relname} has no column {name} (42703)"
                yield Hit(unit, what, f"it is called {renamed[name]}", f"{relation.relname}.{name}", tree.place(each))


RULE = Rule("removed-system-column", Severity.ERROR, "A column that a system view does not have", check)
