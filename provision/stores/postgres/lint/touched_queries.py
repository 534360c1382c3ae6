"""What queries and expressions read, and what statements on rows touch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model.touches import Touch, reads, writes
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast

RELATION = "relation"
"""Tables, views, indexes and sequences: of one schema, they share their names."""
_BUILT_IN = "pg_catalog"
# They change nothing that another statement can see.
_HARMLESS = frozenset(("set_config", "pg_advisory_xact_lock", "pg_sleep", "now", "version", "current_setting"))


def relation(node: Any) -> str:
    """The name of a table as a snapshot has it; without a schema it is of `public`."""
    return f"{node.schemaname or 'public'}.{node.relname}"


def qualified(names: Any) -> str:
    """The same of a name that is a list of its parts."""
    parts = [str(each.sval) for each in names]
    return ".".join(parts if len(parts) > 1 else ["public", *parts])


def in_schema(name: str) -> Iterator[Touch]:
    """That the schema of a relation has to be there."""
    schema = name.partition(".")[0]
    if schema != "public":
        yield reads("schema", schema)


def expression(node: Any) -> Iterator[Touch]:
    """The functions and types that an expression names, wherever it stands."""
    for each in tree.walk(node):
        if isinstance(each, ast.FuncCall):
            yield reads("function", tree.last(each.funcname))
        elif isinstance(each, ast.TypeName) and each.names and str(each.names[0].sval) != _BUILT_IN:
            yield reads("type", tree.last(each.names))


def of_table(table: str, node: Any) -> Iterator[Touch]:
    """What an expression over the columns of one table reads."""
    yield from (reads(RELATION, table, "column", each) for each in sorted(tree.columns_in(node)))
    yield from expression(node)


def query(node: Any, *, rows: bool) -> Iterator[Touch]:
    """What a query reads: of each of its tables all columns that it names, and with `rows` what is in them."""
    own = {each.ctename for each in tree.walk(node) if isinstance(each, ast.CommonTableExpr)}
    tables = [each for each in tree.walk(node) if isinstance(each, ast.RangeVar)]
    names = {relation(each) for each in tables if each.schemaname or each.relname not in own}
    columns = tree.columns_in(node)
    whole = any(isinstance(each, ast.A_Star) for each in tree.walk(node))
    for name in sorted(names):
        yield reads(RELATION, name, "name")
        yield from (reads(RELATION, name, "column", each) for each in sorted(columns))
        if whole:
            yield from all_columns(name)
        if rows:
            yield reads(RELATION, name, "rows")
    yield from expression(node)


def all_columns(table: str) -> Iterator[Touch]:
    """Which columns there are, and in what order."""
    yield reads(RELATION, table, "columns")
    yield reads(RELATION, table, "order of columns")
    yield reads(RELATION, table, "column")


def inserted(node: Any) -> Iterator[Touch]:
    table = relation(node.relation)
    yield writes(RELATION, table, "rows")
    yield reads(RELATION, table, "name")
    if node.cols:
        yield from (reads(RELATION, table, "column", str(each.name)) for each in node.cols)
    else:
        yield from all_columns(table)
    yield from query([node.selectStmt, node.onConflictClause, node.withClause], rows=True)


def updated(node: Any) -> Iterator[Touch]:
    """Of UPDATE, DELETE and MERGE."""
    table = relation(node.relation)
    yield writes(RELATION, table, "rows")
    yield from (reads(RELATION, table, "column", str(each.name)) for each in getattr(node, "targetList", None) or ())
    yield from query(node, rows=True)


def selected(node: Any) -> Iterator[Touch] | None:
    """Of a SELECT that stands alone; None where it calls what may do anything."""
    for each in tree.walk(node):
        if tree.function(each) and isinstance(each, ast.FuncCall) and tree.function(each) not in _HARMLESS:
            return None
    return query(node, rows=False)
