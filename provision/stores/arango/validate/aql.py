"""The AQL of data checks: a condition that holds for a bad document, for each kind of check that has one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

from provision.model.checks import Check, Scope, Table
from provision.text.plain import MASKED
from provision.validate.columns import ahead, columns

DOCUMENT = "doc"
# Lists in lists beyond this are not looked into.
_DEEPEST = 99
_SIGNS = {"min": ">=", "max": "<=", "above": ">", "below": "<"}


class CheckAql:
    """The values of one query: every value and every attribute's name travels as a bind parameter."""

    def __init__(self, collection: str) -> None:
        self.bind: dict[str, object] = {"@c": collection}

    def value(self, value: object) -> str:
        name = f"v{len(self.bind)}"
        self.bind[name] = value
        return f"@{name}"

    def attribute(self, path: str) -> str:
        """An attribute of the document; `a.b` is b of a."""
        return ".".join((DOCUMENT, *(self.value(each) for each in path.split("."))))

    def narrowed(self, table: Table, scope: Scope) -> str:
        """The loop over the documents of the scope."""
        text = f"FOR {DOCUMENT} IN @@c"
        at = f"DATE_TIMESTAMP({self.attribute(table.time)})" if table.time and (scope.since or scope.until) else ""
        for moment, sign in ((scope.since, ">="), (scope.until, "<")):
            if moment is not None and at:
                text += f" FILTER {at} {sign} {self.value(round(moment.timestamp() * 1000))}"
        if scope.tenant is not None and table.tenant is not None:
            text += f" FILTER {self.attribute(table.tenant)} == {self.value(scope.tenant)}"
        return text

    def keys(self, check: Check) -> list[str]:
        return [self.attribute(each) for each in columns(check.body)]

    def row(self, check: Check, names: Sequence[str]) -> str:
        """An object of the named attributes; the value of a masked one is not read."""
        shown = (
            f"{json.dumps(name)}: {self.value(MASKED) if name in check.mask else self.attribute(name)}"
            for name in names
        )
        return f"{{{', '.join(shown)}}}"


def _bad(check: Check, _aql: CheckAql) -> str:
    """Whatever is not plainly false: NULL is bad too. Lines of its own, since the expression may end in a comment."""
    return f"(\n{check.body}\n) != false"


def _not_null(check: Check, aql: CheckAql) -> str:
    return " OR ".join(f"{each} == null" for each in aql.keys(check))


def _not_null_share(check: Check, aql: CheckAql) -> str:
    return f"{aql.attribute(columns(cast(Mapping[str, Any], check.body)['column'])[0])} == null"


def _range(check: Check, aql: CheckAql) -> str:
    body = cast(Mapping[str, Any], check.body)
    bounds = [(sign, body[key]) for key, sign in _SIGNS.items() if key in body]
    # Without a test of the type every text is above every number.
    here = aql.attribute(body["column"])
    tests = [f"{_TYPES[type(bound)]}({here}) AND {here} {sign} {aql.value(bound)}" for sign, bound in bounds]
    return _allowing(body, here, f"NOT ({' AND '.join(tests)})")


def _accepted(check: Check, aql: CheckAql) -> str:
    body = cast(Mapping[str, Any], check.body)
    here = aql.attribute(body["column"])
    return _allowing(body, here, f"{here} NOT IN {aql.value(body['values'])}")


def _max_length(check: Check, aql: CheckAql) -> str:
    """Of a text, or of any text in a list; LENGTH of a number is that of its digits."""
    body = cast(Mapping[str, Any], check.body)
    members = f"FLATTEN([{aql.attribute(body['column'])}], {_DEEPEST})"
    return f"LENGTH({members}[* FILTER IS_STRING(CURRENT) AND LENGTH(CURRENT) > {aql.value(body['max'])}]) > 0"


def _allowing(body: Mapping[str, Any], here: str, condition: str) -> str:
    return f"{here} != null AND {condition}" if body.get("allow_null") else f"{here} == null OR {condition}"


_TYPES = {int: "IS_NUMBER", float: "IS_NUMBER", str: "IS_STRING", bool: "IS_BOOL"}


def _dangling(_check: Check, _aql: CheckAql) -> str:
    return f"DOCUMENT({DOCUMENT}._from) == null OR DOCUMENT({DOCUMENT}._to) == null"


ROWS: Mapping[str, Callable[[Check, CheckAql], str]] = {
    "bad": _bad,
    "not_null": _not_null,
    "not_null_share": _not_null_share,
    "range": _range,
    "accepted_values": _accepted,
    "max_length": _max_length,
    "dangling_edge": _dangling,
}
"""Kinds that look at one document → the condition that holds for a bad one; all are counted in one scan."""


def ages(check: Check, table: Table, aql: CheckAql) -> tuple[str, str]:
    """The newest moment that is not ahead, in milliseconds since 1970, and how many are ahead, as aggregates."""
    column = cast(Mapping[str, Any], check.body).get("column") or table.time
    at = f"DATE_TIMESTAMP({aql.attribute(str(column))})"
    late = f"{at} > DATE_NOW() + {aql.value(ahead(check.body) * 1000)}"
    return f"MAX(({late}) ? null : {at})", f"SUM(({late}) ? 1 : 0)"


def scan(table: Table, scope: Scope, aql: CheckAql) -> str:
    """One row: how many documents there are, then for each check how many are bad, or what `ages` says."""
    head = aql.narrowed(table, scope)
    parts = ["n = SUM(1)"]
    for check in table.checks:
        if check.kind in ROWS:
            parts.append(f"c{len(parts)} = SUM(({ROWS[check.kind](check, aql)}) ? 1 : 0)")
        else:
            parts += [f"c{len(parts) + n} = {each}" for n, each in enumerate(ages(check, table, aql))]
    names = ", ".join(each.split(" ", 1)[0] for each in parts)
    return f"{head} COLLECT AGGREGATE {', '.join(parts)} RETURN [{names}]"


def repeated(check: Check, table: Table, scope: Scope, aql: CheckAql) -> str:
    """Every key of an `unique` check that more than one document has, with how many, as `k` and `n`."""
    keys = aql.keys(check)
    there = " ".join(f"FILTER {each} != null" for each in keys)
    groups = ", ".join(f"k{place} = {each}" for place, each in enumerate(keys))
    listed = ", ".join(f"k{place}" for place in range(len(keys)))
    return f"{aql.narrowed(table, scope)} {there} COLLECT {groups} WITH COUNT INTO n FILTER n > 1 LET k = [{listed}]"


def used(check: Check) -> tuple[str, ...]:
    """The attributes that the check looks at."""
    if check.kind in ("dangling_edge", "acyclic"):
        return ("_from", "_to")
    if isinstance(check.body, Mapping):
        return columns(cast(Mapping[str, Any], check.body).get("column"))
    return columns(check.body) if check.kind != "bad" else ()
