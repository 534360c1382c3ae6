"""Calls of helpers that make partitions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def partitioning_calls(node: Any, world: PostgresWorld) -> Iterator[tuple[str, str, Any]]:
    """Calls of a helper whose name speaks of partitions, with a table of ours and one of its columns as first texts."""
    for each in tree.walk(node):
        if isinstance(each, ast.FuncCall) and "partition" in tree.function(each):
            texts = [arg.val.sval for arg in each.args or () if isinstance(arg, ast.A_Const) and _is_text(arg)]
            if len(texts) >= 2 and texts[0] in world.tables and texts[1] in world.tables[texts[0]].columns:
                yield texts[0], texts[1], each


def _is_text(node: Any) -> bool:
    return isinstance(node.val, ast.String)
