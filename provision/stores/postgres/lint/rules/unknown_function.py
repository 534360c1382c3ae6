"""A function that no file makes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_OWN = re.compile(r"\bPERFORM\s+([a-z_]\w*)\s*\(", re.IGNORECASE)
_SERVERS = re.compile(r"(?:pg_|set_config|setval|nextval|lo_|dblink|format|count|raise|array_|json|st_)", re.IGNORECASE)


def whole(world: PostgresWorld) -> Iterator[Hit]:
    if not world.complete:
        return
    for unit in world.units:
        if isinstance(unit.body.node, ast.CreateFunctionStmt | ast.DoStmt):
            told: set[str] = set()
            for found in _OWN.finditer(unit.text):
                name = found[1].lower()
                if name not in world.functions and name not in told and not _SERVERS.match(name):
                    told.add(name)
                    what = f"the body calls {name}(), which no file makes: it fails when it is run (42883)"
                    yield Hit(unit, what, f"add the revision that makes {name}()", name, found.start(1))


RULE = Rule("unknown-function", Severity.WARNING, "A function that no file makes", whole=whole)
