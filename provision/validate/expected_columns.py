"""`columns`: the columns that a table must have, with their types; reads no rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from provision.errors import ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.ports.validate import Queries
from provision.validate.across import AcrossResult, CheckContext
from provision.validate.columns import body

_TYPE = {"type": "string", "minLength": 1, "description": "a type, as the store names it"}
_COLUMN = {
    "if": {"type": "object"},
    "then": body(
        (),
        {"type": _TYPE, "nullable": {"type": "boolean", "description": "whether it may hold NULL"}},
        "`{type: …, nullable: false}`",
    ),
    "else": _TYPE,
    "description": "a type, or `{type: …, nullable: false}`",
}


class ExpectedColumns:
    """`provision.validate.across.Across`; a bad row is a column."""

    schema: Mapping[str, Any] = body(
        ("expected",),
        {
            "expected": {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": _COLUMN,
                "description": "the name of each column with its type",
            },
            "extra": {"type": "boolean", "description": "false: any other column is wrong; true, as usual: it is fine"},
        },
        "`{expected: {id: uuid, …}, extra: false}`",
    )

    def stores(self, _check: Check, _table: Table) -> Sequence[str]:
        return ()

    def unfit(self, _check: Check, _scope: Scope) -> str:
        return ""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        world.queries(table.store, check.kind)
        return ()

    def find(
        self, check: Check, table: Table, _scope: Scope, world: CheckContext, _rows: int, limit: int
    ) -> AcrossResult:
        wanted: Any = check.body
        found = list(_problems(wanted, table, world.queries(table.store, check.kind)))
        said = "; ".join(f"{each['column']}: {each['problem']}" for each in found[:5])
        more = f"; and {len(found) - 5} more" if len(found) > 5 else ""
        return AcrossResult(Tally(len(found), len(wanted["expected"]), said + more), tuple(found[:limit]))


def _problems(wanted: Mapping[str, Any], table: Table, queries: Queries) -> Iterator[Row]:
    there = {each.name: each for each in queries.columns(table.name)}
    for name, given in wanted["expected"].items():
        told = given if isinstance(given, Mapping) else {"type": given}
        if name not in there:
            yield {"column": name, "problem": "it is not there"}
            continue
        column = there[name]
        if "type" in told and not queries.alike(str(told["type"]), column.type):
            yield {"column": name, "problem": f"{column.type}, {told['type']} is wanted"}
        if told.get("nullable", column.nullable) != column.nullable:
            yield {"column": name, "problem": "it may hold NULL" if column.nullable else "it may not hold NULL"}
    for name in there if not wanted.get("extra", True) else ():
        if name not in wanted["expected"]:
            yield {"column": name, "problem": f"{there[name].type}, and the suite does not know it"}
