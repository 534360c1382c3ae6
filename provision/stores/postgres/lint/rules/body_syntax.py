"""A function whose body is not PostgreSQL's SQL."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.bodies import refused
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    if isinstance(unit.body.node, ast.CreateFunctionStmt):
        for what, at in refused(unit.body.node, unit.text):
            name = tree.last(unit.body.node.funcname)
            yield Hit(unit, f"the body of {name}: {what}", "correct it; the function cannot be created", name, at)


RULE = Rule("body-syntax", Severity.ERROR, "A function whose body is not PostgreSQL's SQL", check)
