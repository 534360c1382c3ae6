"""An index that another one begins with."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint.columns import plain_columns
from provision.stores.postgres.lint.world import PostgresWorld


def whole(world: PostgresWorld) -> Iterator[Hit]:
    for index in world.indexes.values():
        mine = plain_columns(index.node)
        table = world.tables.get(index.table)
        if mine is None or index.node.unique or table is None or index.node.indexIncludingParams:
            continue
        keys = [(f"the key ({', '.join(key)})", key) for key in table.keys]
        others = [
            (each.name, plain_columns(each.node)) for each in world.indexes_of(index.table) if each.name != index.name
        ]
        for name, columns in (*keys, *others):
            if (
                columns is not None
                and len(columns) > len(mine) - (name.startswith("the key"))
                and columns[: len(mine)] == mine
            ):
                what = f"{index.name} ({', '.join(mine)}) is the beginning of {name}, which serves the same searches"
                yield Hit(
                    index.unit, what, f"leave {index.name} out: it costs every write and no search needs it", index.name
                )
                break


RULE = Rule("redundant-index", Severity.WARNING, "An index that another one begins with", whole=whole)
