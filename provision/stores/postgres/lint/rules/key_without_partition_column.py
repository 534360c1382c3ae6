"""A key of a partitioned table that lacks the partition column."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.calls import partitioning_calls
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if isinstance(node, ast.CreateStmt) and node.partspec is not None:
        columns = {each.name for each in node.partspec.partParams or () if each.name}
        table = tree.name_of(node.relation)
        made = PostgresWorld()
        made.add(unit)
        for key in made.tables[table].keys:
            yield from _lacking(unit, table, key, columns)
        for like in node.tableElts or ():
            yield from _copied(unit, world, table, like, columns)
    if isinstance(node, ast.SelectStmt):
        for table, column, _ in partitioning_calls(node, world):
            for key in world.tables[table].keys:
                yield from _lacking(unit, table, key, {column})


def _lacking(unit: Unit, table: str, key: tuple[str, ...], columns: set[Any]) -> Iterator[Hit]:
    lacks = sorted(str(each) for each in columns - set(key))
    if lacks:
        what = f"the key ({', '.join(key)}) of {table} lacks {', '.join(lacks)}, by which it is partitioned (0A000)"
        yield Hit(unit, what, f"add it: ({', '.join((*key, *lacks))})", table)


def _copied(unit: Unit, world: PostgresWorld, table: str, like: Any, columns: set[Any]) -> Iterator[Hit]:
    """LIKE … INCLUDING ALL or INDEXES takes the keys along."""
    if not isinstance(like, ast.TableLikeClause) or not like.options & 64:  # CREATE_TABLE_LIKE_INDEXES
        return
    source = world.tables.get(tree.name_of(like.relation))
    keys = source.keys if source is not None else [("its primary key",)]
    for key in keys:
        if columns - set(key):
            what = (
                f"LIKE {tree.name_of(like.relation)} copies the key ({', '.join(key)}), which must hold the "
                "partition column"
            )
            fix = f"write EXCLUDING INDEXES, and PRIMARY KEY (…, {', '.join(map(str, columns))})"
            yield Hit(unit, what, fix, table, tree.place(like.relation))


RULE = Rule(
    "key-without-partition-column",
    Severity.ERROR,
    "A key of a partitioned table that lacks the partition column",
    check,
)
