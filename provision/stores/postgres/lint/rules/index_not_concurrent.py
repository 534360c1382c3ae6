"""An index that blocks every write while it is built."""

from __future__ import annotations

from collections.abc import Iterator

from provision.lint.text import behind_word
from provision.model import Severity
from provision.model.lint import Edit, Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.IndexStmt) or node.concurrent:
        return
    table = tree.name_of(node.relation)
    known = world.tables.get(table)
    on_parent = known is not None and known.partitioned is not None
    if world.made_here(table, unit) or on_parent or not node.relation.inh or _of_view(table, unit, world):
        return
    what = f"CREATE INDEX on {table} blocks every write to it until the index is built (SHARE lock)"
    fix = "CREATE INDEX CONCURRENTLY, outside of a transaction (op.get_context().autocommit_block())"
    at = behind_word(unit.text, "INDEX")
    begin = None if unit.start is None or at < 0 else unit.start + at
    edits = () if begin is None or unit.in_transaction else (Edit(begin, begin, " CONCURRENTLY"),)
    yield Hit(unit, what, fix, node.idxname or table, edits=edits)


def _of_view(table: str, unit: Unit, world: PostgresWorld) -> bool:
    """A materialized view of the same file."""
    return table in world.views and world.views[table].file == unit.file


RULE = Rule(
    "index-not-concurrent", Severity.ERROR, "An index that blocks every write while it is built", check, predicts="scan"
)
