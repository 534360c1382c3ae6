"""The columns of an index, where they are nothing but columns."""

from __future__ import annotations

from typing import Any


def plain_columns(node: Any) -> tuple[str, ...] | None:
    """The columns of a B-tree over plain columns, whole table and default classes; None for every other index.

    The direction is left out: a B-tree is read both ways, and a prefix in one direction serves the other.
    """
    if node.whereClause is not None or node.accessMethod not in (None, "btree"):
        return None
    found = []
    for each in node.indexParams or ():
        if not each.name or each.opclass or each.collation:
            return None
        found.append(str(each.name))
    return tuple(found)
