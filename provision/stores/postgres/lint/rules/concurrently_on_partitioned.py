"""CREATE INDEX CONCURRENTLY on a partitioned table."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if isinstance(node, ast.IndexStmt) and node.concurrent:
        table = world.tables.get(tree.name_of(node.relation))
        if table is not None and table.partitioned is not None:
            what = f"{table.name} is partitioned, and takes no index concurrently (0A000)"
            fix = (
                f"CREATE INDEX ON ONLY {table.name}, CONCURRENTLY on each partition, then ALTER INDEX … ATTACH "
                "PARTITION"
            )
            yield Hit(unit, what, fix, node.idxname or table.name)


RULE = Rule("concurrently-on-partitioned", Severity.ERROR, "CREATE INDEX CONCURRENTLY on a partitioned table", check)
