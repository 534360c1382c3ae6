"""A table or function that is made later."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def whole(world: PostgresWorld) -> Iterator[Hit]:
    made = {name: place for place, unit in enumerate(world.units) for name in _made(unit.body.node)}
    there = _there_before(world)
    seen: set[str] = set()
    for place, unit in enumerate(world.units):
        for name, node in _used(unit.body.node):
            if made.get(name, -1) > place and name not in seen and name not in there:
                what = (
                    f"{name} is used here and made later, on line {world.units[made[name]].place.line} (42P01, 42883)"
                )
                yield Hit(unit, what, f"make {name} first", name, tree.place(node))
        seen |= _made(unit.body.node)


def _there_before(world: PostgresWorld) -> set[str]:
    """What a statement drops or renames was there; and what is only replaced may have been, unless nothing was."""
    found: set[str] = set()
    for unit in world.units:
        node = unit.body.node
        if isinstance(node, ast.DropStmt):
            found |= {tree.last(each) for each in node.objects or () if isinstance(each, tuple)}
        elif isinstance(node, ast.RenameStmt) and node.relation is not None:
            found.add(tree.name_of(node.relation))
        elif not world.complete and (getattr(node, "replace", False) or getattr(node, "if_not_exists", False)):
            found |= _made(node)
    return found


def _made(node: Any) -> set[str]:
    match node:
        case ast.CreateStmt():
            return {tree.name_of(node.relation)}
        case ast.CreateTableAsStmt():
            return {tree.name_of(node.into.rel)}
        case ast.ViewStmt():
            return {tree.name_of(node.view)}
        case ast.CreateFunctionStmt():
            return {f"{tree.last(node.funcname)}()"}
    return set()


def _used(node: Any) -> Iterator[tuple[str, Any]]:
    """What must be there for a statement to run; the bodies of functions are read when they are called."""
    if isinstance(node, ast.CreateFunctionStmt | ast.DropStmt | None):
        return
    own = {each.ctename for each in tree.walk(node) if isinstance(each, ast.CommonTableExpr)} | _made(node)
    for each in tree.walk(node):
        if isinstance(each, ast.RangeVar) and each.relname not in own:
            yield each.relname, each
        elif isinstance(each, ast.FuncCall) and len(each.funcname) == 1:
            yield f"{tree.last(each.funcname)}()", each


RULE = Rule("used-before-made", Severity.ERROR, "A table or function that is made later", whole=whole)
