"""An Enum whose first value means something."""

from __future__ import annotations

import re
from collections.abc import Iterator

from provision.model import Severity
from provision.model.lint import Hit, Rule, Unit
from provision.stores.clickhouse.lint.world import ClickhouseWorld, table_of

_NOTHING = re.compile(
    r"^(?:|unknown|none|unset|undefined|unspecified|n/?a|null|missing|invalid|other|default)$", re.IGNORECASE
)

_STATED = ("DEFAULT", "MATERIALIZED", "ALIAS", "EPHEMERAL")


def check(unit: Unit, _world: ClickhouseWorld) -> Iterator[Hit]:
    table = table_of(unit)
    if table is None:
        return
    for name, first, at in _enums(unit):
        column = table.columns.get(name)
        if column is not None and name not in table.key and not _NOTHING.match(first):
            what = f"a row that leaves {name} out is stored as {first!r}, as if somebody had said so"
            fix = f"Enum8('UNKNOWN' = 0, …) and CONSTRAINT … CHECK {name} != 'UNKNOWN'"
            yield Hit(unit, what, fix, f"{table.name}.{name}", at)


def _enums(unit: Unit) -> Iterator[tuple[str, str, int]]:
    """The name of each column of an Enum without a value of its own, its lowest value, and where it stands."""
    tokens = unit.body.tokens
    for place, each in enumerate(tokens[1:-2], 1):
        if each.word() in ("ENUM8", "ENUM16", "ENUM") and tokens[place + 1].value == "(" and tokens[place - 1].is_name:
            values: dict[int, str] = {}
            at = place + 2
            while at < len(tokens) and tokens[at].value != ")":
                numbered = at + 2 < len(tokens) and tokens[at].kind == "string" and tokens[at + 1].value == "="
                if numbered and tokens[at + 2].value.isdigit():
                    values[int(tokens[at + 2].value)] = tokens[at].value
                elif tokens[at].kind == "string" and not numbered:
                    values[len(values) + 1] = tokens[at].value
                at += 1
            stated = tokens[at + 1].word() if at + 1 < len(tokens) else ""
            if values and stated not in _STATED:
                yield tokens[place - 1].value, values[min(values)], each.start


RULE = Rule("enum-default", Severity.WARNING, "An Enum whose first value means something", check)
