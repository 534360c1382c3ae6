"""An index that another one begins with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint.columns import plain_columns
from provision.stores.postgres.lint.world import PostgresWorld, Table


def whole(world: PostgresWorld) -> Iterator[Hit]:
    served: dict[str, Mapping[tuple[str, ...], str]] = {}  # by table
    for index in world.indexes.values():
        mine = plain_columns(index.node)
        table = world.tables.get(index.table)
        if mine is None or index.node.unique or table is None or index.node.indexIncludingParams:
            continue
        if index.table not in served:
            served[index.table] = _served(world, table, index.table)
        name = served[index.table].get(mine)
        if name is not None:
            what = f"{index.name} ({', '.join(mine)}) is the beginning of {name}, which serves the same searches"
            fix = f"leave {index.name} out: it costs every write and no search needs it"
            yield Hit(index.unit, what, fix, index.name)


def _served(world: PostgresWorld, table: Table, name: str) -> Mapping[tuple[str, ...], str]:
    """Columns that an index or a key begins with, and what that is. A key serves its own columns too."""
    found: dict[tuple[str, ...], str] = {}
    for key in table.keys:
        for length in range(len(key) + 1):
            found.setdefault(key[:length], f"the key ({', '.join(key)})")
    for each in world.indexes_of(name):
        columns = plain_columns(each.node) or ()
        for length in range(len(columns)):
            found.setdefault(columns[:length], each.name)
    return found


RULE = Rule("redundant-index", Severity.WARNING, "An index that another one begins with", whole=whole)
