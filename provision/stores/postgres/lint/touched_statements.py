"""What one statement touches, by its kind; of a kind that is not here nothing is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from provision.model.lint import Unit
from provision.model.touches import Touch, Touched, reads, writes
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.touched_queries import (
    RELATION,
    expression,
    in_schema,
    inserted,
    of_table,
    qualified,
    query,
    relation,
    selected,
    updated,
)
from provision.stores.postgres.lint.touched_tables import altered, created, index

# They leave nothing behind that another statement can see.
_NOTHING = frozenset(
    "TransactionStmt VariableShowStmt LockStmt VacuumStmt ReindexStmt ClusterStmt CheckPointStmt ExplainStmt "  # noqa: SIM905 (a list of words)
    "NoType".split()
)
_RELATIONS = frozenset(("TABLE", "VIEW", "MATVIEW", "INDEX", "SEQUENCE", "FOREIGN_TABLE"))


class _Unknown(Exception):
    """Raised for what may touch anything."""


def touched(unit: Unit, world: Any) -> Touched:
    """What a unit of a script touches; `world` is what the units before it made."""
    node, name = unit.body.node, unit.name
    if node is None:
        return _unknown(unit, "it cannot be parsed" if unit.body.refused else "")
    if name in _NOTHING:
        return Touched()
    made = _MADE.get(name)
    try:
        if made is None:
            raise _Unknown(f"what {name.removesuffix('Stmt')} touches is not known")
        return Touched(frozenset(made(node, world)))
    except _Unknown as error:
        return _unknown(unit, str(error))
    except AttributeError as error:  # the nodes of another generation of the parser
        return _unknown(unit, f"what {name.removesuffix('Stmt')} touches is not known of this parser: {error}")


def _unknown(unit: Unit, why: str) -> Touched:
    return Touched(unknown=f"{unit.file}:{unit.place.line}: {why}" if why else "")


def _index(node: Any, _world: Any) -> Iterator[Touch]:
    return index(node)


def _set(node: Any, _world: Any) -> Iterator[Touch]:
    if node.name == "search_path":
        raise _Unknown("it sets search_path: which schema a name is of is not known")
    return iter(())


def _select(node: Any, _world: Any) -> Iterator[Touch]:
    found = selected(node)
    if found is None or node.intoClause is not None:
        raise _Unknown("it calls a function, which may do anything")
    return found


def _view(node: Any, _world: Any) -> Iterator[Touch]:
    name = relation(node.view)
    yield writes(RELATION, name)
    yield from in_schema(name)
    yield from query(node.query, rows=False)


def _table_as(node: Any, _world: Any) -> Iterator[Touch]:
    name = relation(node.into.rel)
    yield writes(RELATION, name)
    yield from in_schema(name)
    yield from query(node.query, rows=True)


def _refreshed(node: Any, world: Any) -> Iterator[Touch]:
    made = world.views.get(tree.name_of(node.relation))
    if made is None:
        raise _Unknown("no file makes the view: what it reads is not known")
    yield writes(RELATION, relation(node.relation), "rows")
    yield from query(made.body.node.query, rows=True)


def _function(node: Any, _world: Any) -> Iterator[Touch]:
    taken = [tree.sql(each.argType) for each in node.parameters or () if each.mode.name not in ("FUNC_PARAM_TABLE",)]
    yield writes("function", tree.last(node.funcname), f"({', '.join(taken)})")
    yield from expression([node.parameters, node.returnType])
    options = {each.defname: each.arg for each in node.options or ()}
    if node.sql_body is not None:
        yield from query(node.sql_body, rows=False)
    elif str(getattr(options.get("language"), "sval", "")).lower() == "sql":
        yield from _body(options.get("as"))


def _body(texts: Any) -> Iterator[Touch]:
    """A body in SQL is looked at when the function is made."""
    from pglast import parse_sql
    from pglast.parser import ParseError

    try:
        yield from query(parse_sql(str(texts[0].sval)), rows=False)
    except (ParseError, TypeError, IndexError):
        raise _Unknown("the body of its function cannot be parsed") from None


def _trigger(node: Any, _world: Any) -> Iterator[Touch]:
    table = relation(node.relation)
    yield writes(RELATION, table, "trigger", str(node.trigname))
    yield reads(RELATION, table, "rows")  # which are written with it or without
    yield reads("function", tree.last(node.funcname))
    yield from of_table(table, node.whenClause)
    yield from (reads(RELATION, table, "column", str(each.sval)) for each in node.columns or ())


def _policy(node: Any, _world: Any) -> Iterator[Touch]:
    table = relation(node.table)
    yield writes(RELATION, table, "policy", str(node.policy_name))
    yield from of_table(table, [node.qual, node.with_check])
    yield from (reads("role", str(each.rolename)) for each in node.roles or () if each.rolename)


def _dropped(node: Any, world: Any) -> Iterator[Touch]:
    kind = node.removeType.name.removeprefix("OBJECT_")
    if node.behavior.name == "DROP_CASCADE":
        raise _Unknown("what CASCADE takes with it is not in the text")
    for each in node.objects or ():
        if kind == "INDEX":
            yield from _dropped_index(each, world)
        elif kind in _RELATIONS:
            yield writes(RELATION, qualified(each))
        elif kind in ("TRIGGER", "POLICY", "RULE"):
            table = qualified(each[:-1])
            yield writes(RELATION, table, kind.lower(), tree.last(each))
            yield reads(RELATION, table, "rows")
        elif kind in ("FUNCTION", "PROCEDURE", "AGGREGATE"):
            yield writes("function", tree.last(each.objname))
        elif kind in ("TYPE", "DOMAIN"):
            yield writes("type", tree.last(each.names))
        elif kind in ("SCHEMA", "EXTENSION"):
            yield writes(kind.lower(), str(each.sval))
        else:
            raise _Unknown(f"what DROP {kind} touches is not known")


def _dropped_index(name: Any, world: Any) -> Iterator[Touch]:
    known = world.indexes.get(tree.last(name))
    if known is None:
        raise _Unknown(f"no file makes the index {tree.last(name)}: which table it is of is not known")
    table = relation(known.node.relation)
    yield writes(RELATION, qualified(name))
    # A column that goes takes its indexes with it.
    yield from (reads(RELATION, table, "column", str(each.name)) for each in known.node.indexParams or () if each.name)
    yield reads(RELATION, table, "name")


def _renamed(node: Any, world: Any) -> Iterator[Touch]:
    kind = node.renameType.name.removeprefix("OBJECT_")
    if node.relation is None:
        raise _Unknown(f"what the renaming of a {kind.lower()} touches is not known")
    old = relation(node.relation)
    if kind == "COLUMN":
        yield writes(RELATION, old, "column", str(node.subname))
        yield writes(RELATION, old, "column", str(node.newname))
        yield writes(RELATION, old, "columns")
    elif kind == "INDEX":
        yield from _dropped_index((ast.String(node.relation.relname),), world)
        yield writes(RELATION, f"{old.partition('.')[0]}.{node.newname}")
    elif kind in _RELATIONS:
        yield writes(RELATION, old)
        yield writes(RELATION, f"{old.partition('.')[0]}.{node.newname}")
    else:
        yield writes(RELATION, old)


def _enum(node: Any, _world: Any) -> Iterator[Touch]:
    yield writes("type", tree.last(node.typeName))


def _domain(node: Any, _world: Any) -> Iterator[Touch]:
    yield writes("type", tree.last(node.domainname))
    yield from expression([node.typeName, node.constraints])


def _sequence(node: Any, _world: Any) -> Iterator[Touch]:
    yield writes(RELATION, relation(node.sequence))


def _granted(node: Any, _world: Any) -> Iterator[Touch]:
    kind = node.objtype.name.removeprefix("OBJECT_")
    if node.targtype.name != "ACL_TARGET_OBJECT":
        raise _Unknown("it grants on all there is in a schema")
    for each in node.objects or ():
        if isinstance(each, ast.RangeVar):
            yield writes(RELATION, relation(each), "granted")
        elif isinstance(each, ast.String):
            yield writes(kind.lower(), str(each.sval), "granted")
        else:
            yield writes("function", tree.last(each.objname), "granted")
    yield from (reads("role", str(each.rolename)) for each in node.grantees or () if each.rolename)


def _comment(node: Any, _world: Any) -> Iterator[Touch]:
    kind = node.objtype.name.removeprefix("OBJECT_")
    if kind in _RELATIONS:
        yield reads(RELATION, qualified(node.object), "name")
        yield writes(RELATION, qualified(node.object), "comment")
    elif kind == "COLUMN":
        table, column = qualified(node.object[:-1]), tree.last(node.object)
        yield reads(RELATION, table, "column", column)
        yield writes(RELATION, table, f"comment of {column}")
    else:
        raise _Unknown(f"what a comment on a {kind.lower()} touches is not known")


_MADE: Mapping[str, Callable[[Any, Any], Iterator[Touch]]] = {
    "CreateStmt": lambda node, _: created(node),
    "AlterTableStmt": lambda node, _: altered(node),
    "IndexStmt": _index,
    "InsertStmt": lambda node, _: inserted(node),
    "UpdateStmt": lambda node, _: updated(node),
    "DeleteStmt": lambda node, _: updated(node),
    "TruncateStmt": lambda node, _: (writes(RELATION, relation(each), "rows") for each in node.relations),
    "SelectStmt": _select,
    "ViewStmt": _view,
    "CreateTableAsStmt": _table_as,
    "RefreshMatViewStmt": _refreshed,
    "CreateFunctionStmt": _function,
    "CreateTrigStmt": _trigger,
    "CreatePolicyStmt": _policy,
    "DropStmt": _dropped,
    "RenameStmt": _renamed,
    "CreateEnumStmt": _enum,
    "AlterEnumStmt": _enum,
    "CreateRangeStmt": _enum,
    "CreateDomainStmt": _domain,
    "CreateSeqStmt": _sequence,
    "AlterSeqStmt": _sequence,
    "CreateSchemaStmt": lambda node, _: iter((writes("schema", str(node.schemaname)),)),
    "CreateExtensionStmt": lambda node, _: iter((writes("extension", str(node.extname)),)),
    "CreateRoleStmt": lambda node, _: iter((writes("role", str(node.role)),)),
    "AlterRoleStmt": lambda node, _: iter((writes("role", str(node.role.rolename)),)),
    "GrantStmt": _granted,
    "CommentStmt": _comment,
    "VariableSetStmt": _set,
}
