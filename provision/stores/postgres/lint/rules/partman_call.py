"""A call that pg_partman refuses."""

from __future__ import annotations

from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.postgres.lint import tree
from provision.stores.postgres.lint.nodes import ast
from provision.stores.postgres.lint.world import PostgresWorld

_WORDS = {
    "yearly": "1 year",
    "quarterly": "3 months",
    "monthly": "1 month",
    "weekly": "1 week",
    "daily": "1 day",
    "hourly": "1 hour",
}


def check(unit: Unit, _world: PostgresWorld) -> Iterator[Hit]:
    for call in tree.walk(unit.body.node):
        if not isinstance(call, ast.FuncCall) or tree.function(call) != "create_parent":
            continue
        given = {each.name: each.arg for each in call.args or () if isinstance(each, ast.NamedArgExpr)}
        interval = getattr(getattr(given.get("p_interval"), "val", None), "sval", "")
        kind = getattr(getattr(given.get("p_type"), "val", None), "sval", "")
        if interval in _WORDS and kind in ("range", "list", ""):
            what = f"pg_partman 5 refuses p_interval {interval!r}, and 4 refuses p_type 'range' (P0001)"
            fix = f"p_interval => '{_WORDS[interval]}' with 5; p_type => 'native' with 4: ask extversion which it is"
            yield Hit(unit, what, fix, "create_parent", tree.place(given["p_interval"]))


RULE = Rule("partman-call", Severity.ERROR, "A call that pg_partman refuses", check)
