"""`assert`: a query of the suite's author, and what must hold of its answer."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence, Set
from decimal import Decimal
from typing import Any

from provision.errors import FailedError, ProvisionError
from provision.model.checks import Check, Row, Scope, Table, Tally
from provision.text.plain import MASKED, plain
from provision.validate.across import AcrossResult, CheckContext
from provision.validate.columns import SCALAR, body
from provision.validate.scan import since

_NONE = body(("rows",), {"rows": {"const": "none", "description": "`none`"}}, "`{rows: none}`")
_VALUE = {
    **body(
        (),
        {
            "equals": {**SCALAR, "description": "what the value must be"},
            "min": {"type": "number", "description": "the least value"},
            "max": {"type": "number", "description": "the greatest value"},
            "above": {"type": "number", "description": "a bound that is itself too low"},
            "below": {"type": "number", "description": "a bound that is itself too high"},
        },
        "`{equals: …}`, `{min: …, max: …}` of the one value, or `{rows: none}`",
    ),
    "minProperties": 1,
}
_HOLDS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "equals": ("", lambda value, bound: bool(value == bound)),
    "min": ("at least ", lambda value, bound: bool(value >= bound)),
    "max": ("at most ", lambda value, bound: bool(value <= bound)),
    "above": ("above ", lambda value, bound: bool(value > bound)),
    "below": ("below ", lambda value, bound: bool(value < bound)),
}


class Assert:
    """`provision.validate.across.Across`; without `expect` no row may be answered."""

    schema: Mapping[str, Any] = body(
        ("sql",),
        {
            "sql": {"type": "string", "minLength": 1, "description": "a query that only reads, in the store's own SQL"},
            "expect": {"if": {"required": ["rows"]}, "then": _NONE, "else": _VALUE, "description": "what must hold"},
        },
        "`{sql: SELECT …, expect: {rows: none}}`",
    )

    def stores(self, _check: Check, _table: Table) -> Sequence[str]:
        return ()

    def unfit(self, _check: Check, scope: Scope) -> str:
        return "its query cannot be narrowed" if scope.narrowed else ""

    def refused(self, check: Check, table: Table, world: CheckContext) -> Sequence[ProvisionError]:
        return world.queries(table.store, check.kind).refused(_sql(check), table, check)

    def find(
        self, check: Check, table: Table, scope: Scope, world: CheckContext, rows: int, limit: int
    ) -> AcrossResult:
        begun, queries = time.monotonic(), world.queries(table.store, check.kind)
        wanted = _expected(check)
        if "rows" in wanted:
            bad = queries.count(_sql(check), scope)
            found = queries.rows(_sql(check), check.mask, scope, limit) if bad and limit else ()
            samples = tuple({name: plain(value) for name, value in row.items()} for row in found)
            message = f"{bad:,} row{'s' * (bad != 1)} answered, none is wanted" if bad else ""
            return AcrossResult(Tally(bad, rows, message, since(begun)), samples)
        column, value = _value(queries.rows(_sql(check), (), scope, 2))
        readable = MASKED if column in check.mask else plain(value)
        if not (_is_number(value) or _is_nothing(value)) and (bounds := wanted.keys() - {"equals"}):
            raise _without_order(value, bounds, readable)
        failed = not _kept(value, wanted)
        words = " and ".join(f"{_HOLDS[key][0]}{bound}" for key, bound in wanted.items())
        message = f"the value is {'NULL' if value is None else readable}, {words} is wanted"
        shown: Sequence[Row] = ({"value": readable},) if failed and limit else ()
        return AcrossResult(Tally(int(failed), rows, message, since(begun)), tuple(shown))


def _sql(check: Check) -> str:
    text: Any = check.body
    return str(text["sql"]).strip().rstrip(";")


def _expected(check: Check) -> Mapping[str, Any]:
    given: Any = check.body
    expected: Mapping[str, Any] = given.get("expect", {"rows": "none"})
    return expected


def _value(rows: Sequence[Row]) -> tuple[str, object]:
    """The name and the value of the one column of the one row. Raises FailedError."""
    if len(rows) != 1 or len(rows[0]) != 1:
        what = f"the query answers {'no row' if not rows else f'{len(rows)} rows or more of {len(rows[0])} columns'}"
        raise FailedError("check-failed", f"{what}, not one value", fix="make it answer one row of one column")
    return next(iter(rows[0].items()))


def _is_nothing(value: object) -> bool:
    return value is None or (isinstance(value, float | Decimal) and math.isnan(value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal)


def _without_order(value: object, bounds: Set[str], readable: object) -> FailedError:
    """The error for what has no order among numbers where a bound is given."""
    named = " and ".join(sorted(bounds))
    what = f"the value is {readable}, of type {type(value).__name__}, and {named} asks for a number"
    fix = "make the query answer a number, such as extract(epoch from …), value::numeric, value::date - date '…'"
    return FailedError("check-failed", what, fix=fix)


def _kept(value: Any, wanted: Mapping[str, Any]) -> bool:
    """Whether all of it holds; nothing does of NULL and of NaN. A value that is no number equals its text."""
    if _is_nothing(value):
        return False
    return all(_HOLDS[key][1](*_alike(value, bound)) for key, bound in wanted.items())


def _alike(value: Any, bound: Any) -> tuple[Any, Any]:
    """Both as numbers of one kind, else both as texts."""
    if _is_number(value) and _is_number(bound):
        return value, Decimal(str(bound)) if isinstance(bound, float) and isinstance(value, Decimal) else bound
    return value if isinstance(value, str) else str(plain(value)), str(bound)
