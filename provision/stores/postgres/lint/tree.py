"""Questions about parsed SQL that several rules ask."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from pglast.stream import RawStream

from provision.stores.postgres.lint.nodes import ast

CLOCKS = frozenset(("now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday"))
_TIMES = ("current_t", "current_d", "local")
# Called anew for every row, so that a default of them rewrites the table.
VOLATILE = frozenset(
    "random gen_random_uuid uuid_generate_v4 uuid_generate_v1 uuid_generate_v1mc uuidv4 uuidv7 clock_timestamp "  # noqa: SIM905 (a list of words)
    "timeofday nextval gen_random_bytes".split()
)


_WALKED: dict[int, tuple[Any, list[Any]]] = {}
_KEPT = 32  # trees: thirty rules walk the same one, one after the other


def walk(node: Any) -> Iterator[Any]:
    """The node and every node below it, as they stand in the text. Trees are not changed once they are parsed."""
    found = _WALKED.get(id(node))
    if found is None or found[0] is not node:
        if len(_WALKED) >= _KEPT:
            _WALKED.clear()
        found = _WALKED[id(node)] = (node, list(_below(node)))
    return iter(found[1])


def _below(node: Any) -> Iterator[Any]:
    """No recursion: a sum may have thousands of terms."""
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, ast.Node):
            yield each
            waiting += [below for name in _fields(each.__class__) if (below := getattr(each, name)) is not None]
        elif isinstance(each, tuple | list):
            waiting += reversed(each)


@cache
def _fields(kind: Any) -> tuple[str, ...]:
    """The fields of a kind of node in which nodes may stand, the last one first."""
    return tuple(name for name in reversed(list(kind.__slots__)) if any(map(_holds, _types(kind, name))))


def _holds(held: type) -> bool:
    return issubclass(held, (ast.Node, tuple, list))


def _types(kind: Any, name: str) -> tuple[Any, ...]:
    """What pglast lets a field be."""
    held = kind.__slots__[name][1]
    return held if isinstance(held, tuple) else (held,)


def name_of(relation: Any) -> str:
    """The name of a table without its schema, as PostgreSQL folds it; empty where there is none."""
    return str(relation.relname) if relation is not None else ""


def last(names: Any) -> str:
    """The last part of a qualified name."""
    return str(names[-1].sval) if names else ""


def function(node: Any) -> str:
    """The name of a called function, lower case, without its schema; empty for every other node."""
    if isinstance(node, ast.FuncCall):
        return last(node.funcname).lower()
    if isinstance(node, ast.SQLValueFunction):
        return str(node.op.name).removeprefix("SVFOP_").lower()
    return ""


def columns_in(node: Any) -> set[str]:
    """The names of the columns that an expression reads."""
    return {last(each.fields) for each in walk(node) if isinstance(each, ast.ColumnRef) and _plain(each)}


def _plain(column: Any) -> bool:
    return isinstance(column.fields[-1], ast.String)


def tables_in(node: Any) -> set[str]:
    """The names of the tables that a query reads, without those that it names itself (WITH)."""
    own = {each.ctename for each in walk(node) if isinstance(each, ast.CommonTableExpr)}
    return {each.relname for each in walk(node) if isinstance(each, ast.RangeVar)} - own


def sql(node: Any) -> str:
    """The node as PostgreSQL would write it: equal for what is equal but for blanks and case."""
    return str(RawStream()(node)) if node is not None else ""


def quoted(name: str) -> str:
    """The name as it is written in SQL."""
    return sql(ast.RangeVar(relname=name, inh=True))


def clock(node: Any) -> Any:
    """The first call in an expression that asks for the time, or None."""
    for each in walk(node):
        name = function(each)
        if name in CLOCKS or (
            isinstance(each, ast.SQLValueFunction) and name.startswith(("current_t", "current_d", "local"))
        ):
            return each
    return None


def type_of(column: Any) -> str:
    """The type of a column as it is written in the catalogue: `varchar`, `timestamptz`, `numeric`."""
    return last(column.typeName.names) if column.typeName is not None else ""


def modifiers(column: Any) -> list[int]:
    """The numbers in the parenthesis behind a type: precision and scale of a numeric."""
    found = column.typeName.typmods if column.typeName is not None else None
    values = [getattr(each, "val", None) for each in found or ()]
    return [int(each.ival) for each in values if isinstance(each, ast.Integer)]


def is_array(column: Any) -> bool:
    return column.typeName is not None and bool(column.typeName.arrayBounds)


def constraints(column: Any) -> list[Any]:
    return list(column.constraints or ())


def kind(constraint: Any) -> str:
    """`CHECK`, `UNIQUE`, `PRIMARY`, `FOREIGN`, `NOTNULL`, `DEFAULT` …"""
    return str(constraint.contype.name).removeprefix("CONSTR_")


def number(node: Any) -> float | None:
    """The value of a number that is written out, with its sign; None for everything else."""
    if isinstance(node, ast.A_Expr) and node.lexpr is None and node.name[-1].sval == "-":
        inner = number(node.rexpr)
        return None if inner is None else -inner
    if not isinstance(node, ast.A_Const):
        return None
    if isinstance(node.val, ast.Integer):
        return float(node.val.ival)
    return float(node.val.fval) if isinstance(node.val, ast.Float) else None


def place(node: Any) -> int | None:
    """The character where a node begins; None where the parser keeps none."""
    at = getattr(node, "location", None)
    return at if isinstance(at, int) and at >= 0 else None
