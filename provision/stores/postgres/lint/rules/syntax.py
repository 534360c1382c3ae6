"""Not PostgreSQL's SQL."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint.world import PostgresWorld

_EXPRESSION = re.compile(r"\bINDEX\b.*\(\s*\(", re.IGNORECASE | re.DOTALL)


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    refused = unit.body.refused
    if refused is not None:
        expression = _EXPRESSION.search(unit.text[: refused.at])
        fix = "correct the statement; it stops every run here"
        if expression:
            fix = "put the whole expression of an index into parentheses of its own: ((a - b) / c)"
        yield Hit(unit, refused.what, fix, "", refused.at)


RULE = Rule("syntax", Severity.ERROR, "Not PostgreSQL's SQL", check)
