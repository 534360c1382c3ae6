"""A statement in a function that no function may run."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_NEVER = re.compile(
    r"\b(?:(?:CREATE\s+(?:UNIQUE\s+)?INDEX|DROP\s+INDEX|REINDEX(?:\s*\([^)]*\))?\s+\w+)\s+CONCURRENTLY|VACUUM\b(?!_)|ALTER\s+SYSTEM"
    r"|CREATE\s+DATABASE|DROP\s+DATABASE|ALTER\s+TABLE\s+[\w.\"]+\s+DETACH\s+PARTITION\s+[\w.\"]+\s+CONCURRENTLY)\b",
    re.IGNORECASE,
)
_PASSED = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    node = unit.body.node
    if not isinstance(node, ast.CreateFunctionStmt | ast.DoStmt):
        return
    text = _PASSED.sub(lambda each: " " * len(each[0]), unit.text)
    name = tree.last(node.funcname) if isinstance(node, ast.CreateFunctionStmt) else "DO"
    for found in _NEVER.finditer(text):
        words = " ".join(found[0].upper().split())
        what = f"{words} in the body of {name}: it cannot run in a function, nor in a procedure after COMMIT (25001)"
        yield Hit(unit, what, "make it a statement of its own: a job of pg_cron, or a revision", name, found.start())


RULE = Rule("concurrently-in-function", Severity.ERROR, "A statement in a function that no function may run", check)
