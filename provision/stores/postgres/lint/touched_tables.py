"""What CREATE TABLE, ALTER TABLE and CREATE INDEX touch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from provision.model.touches import Touch, changes, reads, writes
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.touched_queries import RELATION, expression, in_schema, of_table, relation

# ALTER TABLE … of these leave everything but one part of the table as it is.
_OF_A_COLUMN = frozenset(
    "AT_ColumnDefault AT_DropNotNull AT_SetNotNull AT_SetStatistics AT_SetStorage AT_SetCompression AT_AlterColumnType "  # noqa: SIM905 (a list of words)
    "AT_AddIdentity AT_SetIdentity AT_DropIdentity AT_DropExpression".split()
)
_OF_A_PART = {
    "AT_EnableRowSecurity": "row security",
    "AT_DisableRowSecurity": "row security",
    "AT_ForceRowSecurity": "forced row security",
    "AT_NoForceRowSecurity": "forced row security",
    "AT_SetRelOptions": "options",
    "AT_ResetRelOptions": "options",
    "AT_ReplicaIdentity": "replica identity",
    "AT_ChangeOwner": "owner",
}
_PROVES = frozenset(("AT_SetNotNull", "AT_AlterColumnType"))  # they look at every row


def created(node: Any) -> Iterator[Touch]:
    table = relation(node.relation)
    yield writes(RELATION, table)
    yield from in_schema(table)
    for parent in node.inhRelations or ():
        # Of a partition its parent's columns come as they are, whenever they are added; LIKE and INHERITS copy.
        yield reads(RELATION, relation(parent), *(("name",) if node.partbound is not None else ()))
        yield reads(RELATION, relation(parent), "partitions" if node.partbound is not None else "columns")
    for each in node.tableElts or ():
        if isinstance(each, ast.ColumnDef):
            yield from _column(table, each)
        elif isinstance(each, ast.Constraint):
            yield from _constraint(table, each, ())
        elif isinstance(each, ast.TableLikeClause):
            yield reads(RELATION, relation(each.relation))
    yield from expression([node.partspec, node.partbound])


def _column(table: str, column: Any) -> Iterator[Touch]:
    """A column that is made, with its constraints."""
    name = str(column.colname)
    yield writes(RELATION, table, "column", name)
    yield from expression(column)
    if tree.type_of(column) in ("serial", "bigserial", "smallserial") or any(
        tree.kind(each) == "IDENTITY" for each in tree.constraints(column)
    ):
        yield writes(RELATION, f"{table}_{name}_seq")
    for each in tree.constraints(column):
        if tree.kind(each) in ("CHECK", "UNIQUE", "PRIMARY", "FOREIGN"):
            yield from _constraint(table, each, (name,))
        elif tree.kind(each) == "DEFAULT" and any(tree.function(one) in tree.VOLATILE for one in tree.walk(each)):
            yield reads(RELATION, table, "rows")


def _constraint(table: str, each: Any, columns: Sequence[str]) -> Iterator[Touch]:
    kind = tree.kind(each)
    used = tuple(columns) or tuple(str(key.sval) for key in (each.keys or each.fk_attrs or ()))
    name = str(each.conname) if each.conname else _name(table, kind, used, each)
    yield writes(RELATION, table, "constraint", name)
    yield from (reads(RELATION, table, "column", key) for key in used)
    yield from of_table(table, [each.raw_expr, each.exclusions])
    if kind in ("UNIQUE", "PRIMARY", "EXCLUSION"):
        yield writes(RELATION, f"{table.partition('.')[0]}.{name}")
    if kind == "PRIMARY":
        yield writes(RELATION, table, "primary key")
        yield from (writes(RELATION, table, "column", key) for key in used)  # it makes them NOT NULL
    if kind == "FOREIGN":
        other = relation(each.pktable)
        yield reads(RELATION, other, "name")
        keys = [str(key.sval) for key in each.pk_attrs or ()]
        yield from (reads(RELATION, other, "column", key) for key in keys)
        if not keys:
            yield reads(RELATION, other, "primary key")
    if not each.skip_validation:
        yield reads(RELATION, table, "rows")


def _name(table: str, kind: str, columns: Sequence[str], each: Any) -> str:
    """The name that PostgreSQL gives where none is written."""
    bare = table.partition(".")[2]
    end = {"UNIQUE": "key", "PRIMARY": "pkey", "FOREIGN": "fkey", "EXCLUSION": "excl"}.get(kind, "check")
    used = sorted(tree.columns_in(each.raw_expr)) if kind == "CHECK" else list(columns)
    if kind == "PRIMARY" or (kind == "CHECK" and len(used) != 1):
        used = []
    return "_".join((bare, *used, end))


def altered(node: Any) -> Iterator[Touch]:
    table = relation(node.relation)
    yield reads(RELATION, table, "name")
    for each in node.cmds or ():
        yield from _command(table, each)


def _command(table: str, each: Any) -> Iterator[Touch]:
    what, name = each.subtype.name, str(each.name or "")
    if what == "AT_AddColumn":
        yield writes(RELATION, table, "order of columns")
        yield changes(RELATION, table, "columns")
        yield from _column(table, each.def_)
        if any(tree.kind(one) == "NOTNULL" for one in tree.constraints(each.def_)):
            yield reads(RELATION, table, "rows")
    elif what == "AT_DropColumn":
        yield writes(RELATION, table, "column", name)
        yield changes(RELATION, table, "columns")
    elif what == "AT_AddConstraint":
        yield from _constraint(table, each.def_, ())
    elif what in ("AT_DropConstraint", "AT_ValidateConstraint", "AT_AlterConstraint"):
        yield writes(RELATION, table, "constraint", name)
        yield reads(RELATION, table, "columns dropped" if what == "AT_DropConstraint" else "rows")
    elif what in _OF_A_COLUMN:
        yield writes(RELATION, table, "column", name)
        yield from of_table(table, each.def_)
        if what in _PROVES:
            yield reads(RELATION, table, "rows")
    elif what in ("AT_EnableTrig", "AT_DisableTrig", "AT_EnableAlwaysTrig", "AT_EnableReplicaTrig"):
        yield writes(RELATION, table, "trigger", name)
        yield reads(RELATION, table, "rows")
    elif what in ("AT_AttachPartition", "AT_DetachPartition"):
        yield reads(RELATION, table, "rows")
        yield writes(RELATION, relation(each.def_.name))
        yield reads(RELATION, table, "columns")
    elif what in _OF_A_PART:
        yield writes(RELATION, table, _OF_A_PART[what])
    else:
        yield writes(RELATION, table)
    if what == "AT_DropColumn":
        yield changes(RELATION, table, "columns dropped")


def index(node: Any) -> Iterator[Touch]:
    table = relation(node.relation)
    schema, _, bare = table.partition(".")
    keys = [str(each.name or "expr") for each in node.indexParams or ()]
    name = str(node.idxname) if node.idxname else "_".join((bare, *keys, "idx"))
    yield writes(RELATION, f"{schema}.{name}")
    yield reads(RELATION, table, "name")
    parts = [*(node.indexParams or ()), *(node.indexIncludingParams or ())]
    yield from (reads(RELATION, table, "column", str(each.name)) for each in parts if each.name)
    yield from of_table(table, [*(each.expr for each in parts), node.whereClause])
    if node.unique:
        yield reads(RELATION, table, "rows")
