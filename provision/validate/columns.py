"""The schemas of the kinds of check that stores with columns have in common; a store says which of them it makes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, cast

from provision.errors import ConfigError
from provision.model.checks import Check, Limit, Scope, Table, Tally
from provision.text.durations import DURATION, seconds

COLUMN: Final = {"type": "string", "minLength": 1, "description": "the name of a column"}
COLUMNS: Final = {
    "description": "a column, or a list of columns",
    "if": {"type": "array"},
    "then": {"minItems": 1, "items": COLUMN, "description": "a list of columns"},
    "else": COLUMN,
}
SCALAR: Final = {"type": ["string", "number", "boolean"], "description": "text or a number"}
_NULL: Final = {"type": "boolean", "description": "true when NULL is fine"}


def body(required: tuple[str, ...], properties: dict[str, Any], description: str) -> dict[str, Any]:
    """The schema of a mapping with these keys and no other."""
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "required": list(required),
        "properties": properties,
    }


BAD: Final = {
    "type": "string",
    "minLength": 1,
    "description": "an expression that is true for a bad row; a row for which it is NULL is bad too",
}
NOT_NULL: Final = {**COLUMNS, "description": "the column, or columns, of which none may be NULL or NaN"}
RANGE: Final = {
    **body(
        ("column",),
        {
            "column": COLUMN,
            "min": {**SCALAR, "description": "the least value"},
            "max": {**SCALAR, "description": "the greatest value"},
            "above": {**SCALAR, "description": "a bound that is itself too low"},
            "below": {**SCALAR, "description": "a bound that is itself too high"},
            "allow_null": _NULL,
        },
        "`{column: …, min: …, max: …}`",
    ),
    "minProperties": 2,
}
ACCEPTED_VALUES: Final = body(
    ("column", "values"),
    {
        "column": COLUMN,
        "values": {"type": "array", "minItems": 1, "items": SCALAR, "description": "a list of values"},
        "allow_null": _NULL,
    },
    "`{column: …, values: […]}`",
)
MAX_LENGTH: Final = body(
    ("column", "max"),
    {
        "column": {**COLUMN, "description": "the name of a column of texts, or of lists of texts"},
        "max": {"type": "integer", "minimum": 0, "description": "how many characters a text has at most"},
    },
    "`{column: …, max: 80}`",
)
UNIQUE: Final = {**COLUMNS, "description": "the column, or columns, that name one row; those with a NULL are left out"}
UNIQUE_COMBINATION: Final = {
    "type": "array",
    "minItems": 1,
    "items": COLUMN,
    "description": "a list of columns that together name one row; a NULL is a value like any other",
}
NOT_NULL_SHARE: Final = body(
    ("column", "min"),
    {
        "column": COLUMN,
        "min": {"type": "number", "minimum": 0, "maximum": 1, "description": "the least share of rows with a value"},
    },
    "`{column: …, min: 0.95}`",
)
TO: Final = body(
    ("table", "column"),
    {
        "store": {"type": "string", "minLength": 1, "description": "the name of another store; else the same one"},
        "table": {"type": "string", "minLength": 1, "description": "the name of the table that is referred to"},
        "column": COLUMNS,
    },
    "`{table: …, column: …}`",
)
REFERENCE: Final = body(
    ("column", "to"),
    {"column": {**COLUMNS, "description": "the column, or columns, that refer; those with a NULL refer to nothing"}}
    | {"to": TO},
    "`{column: …, to: {table: …, column: …}}`",
)
FRESHNESS: Final = body(
    ("within",),
    {
        "column": {**COLUMN, "description": "the column of the moment; else the table's `time`"},
        "within": {
            "type": "string",
            "pattern": DURATION,
            "description": "a duration such as 30m, 2h or 7d",
        },
        "ahead": {
            "type": "string",
            "pattern": DURATION,
            "description": "how far in the future a row may be, since clocks differ; else 5m",
        },
    },
    "`{within: 2h}`",
)
SQL: Final[dict[str, Any]] = {
    "bad": BAD,
    "not_null": NOT_NULL,
    "not_null_share": NOT_NULL_SHARE,
    "range": RANGE,
    "accepted_values": ACCEPTED_VALUES,
    "max_length": MAX_LENGTH,
    "unique": UNIQUE,
    "unique_combination": UNIQUE_COMBINATION,
    "reference": REFERENCE,
    "freshness": FRESHNESS,
}


REPEATED: Final = ("unique", "unique_combination")
"""Kinds that are about keys that more than one row has."""


def columns(value: object) -> tuple[str, ...]:
    """The columns of a body that is one of them or a list."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else ()


def allowed(check_kind: str, body: object) -> Limit | None:
    """How many bad rows the body of a check allows by itself; None where its `fail_if` says so."""
    if check_kind == "latency":
        return Limit(share=0.05)  # more than one run in twenty over the bound is a 95th percentile over it
    if check_kind != "not_null_share":
        return None
    # As it was written: 1 - 0.9 is less than 0.1 in binary.
    return Limit(share=float(1 - Decimal(str(cast(Mapping[str, Any], body)["min"]))))


def share_message(check: Check, tally: Tally) -> str:
    """What share of the rows has a value, and what is wanted, of a `not_null_share`."""
    if check.kind != "not_null_share" or not tally.total:
        return ""
    have, wanted = 1 - tally.bad / tally.total, cast(Mapping[str, Any], check.body)["min"]
    return f"{have:.4%} have a value, {wanted:.4%} at least are wanted"


def used(check: Check) -> tuple[str, ...]:
    """The columns that the body of a check names; those of an expression are the engine's to know."""
    body: Any = check.body
    if check.kind == "bad":
        return ()
    return columns(body.get("column")) if isinstance(body, Mapping) else columns(body)


def no_text(check: Check, kind: str) -> ConfigError:
    """The error for a `max_length` of a column of another type."""
    what = f"{check.name}: {used(check)[0]} is {kind}, not text"
    return ConfigError("bad-expression", what, where=check.place, fix="name a column of texts, or of lists of texts")


def hidden_rows(store: str, table: str, place: str) -> ConfigError:
    """The error for a table of which the user of the url sees only what a policy lets through."""
    what = f"{store}: a row policy of {table} hides rows from the user of the url, so that no check could be trusted"
    fix = "take a user whom it does not concern: BYPASSRLS or the owner in PostgreSQL, no row policy in ClickHouse"
    return ConfigError("hidden-rows", what, where=place, fix=fix)


def narrowing(time: str | None, tenant: str | None, scope: Scope) -> Iterator[tuple[str, str, object]]:
    """Column, sign and value of each condition that narrows a table to the scope."""
    if scope.since is not None and time is not None:
        yield time, ">=", scope.since
    if scope.until is not None and time is not None:
        yield time, "<", scope.until
    if scope.tenant is not None and tenant is not None:
        yield tenant, "=", scope.tenant


def timeless(table: Table) -> Iterator[ConfigError]:
    """An error for every `freshness` that no column is named for, neither in the check nor in its table."""
    for check in table.checks:
        if check.kind == "freshness" and table.time is None and "column" not in cast(Mapping[str, Any], check.body):
            what = f"{check.name} does not say by which column"
            yield ConfigError("document-invalid", what, where=check.place, fix="add `column:`, or `time:` to the table")


def ahead(body: object) -> int:
    """How many seconds in the future a row of a `freshness` check may be; later ones say nothing of its age."""
    return seconds(cast(Mapping[str, Any], body).get("ahead", "5m"))


def age_tally(body: object, age: float | None, future: int, total: int) -> Tally:
    """What a `freshness` check comes to.

    `age` is that of the newest row in seconds, `future` how many rows are further `ahead` than they may be: they are
    left out of the age, since one of them would hide that nothing came for days.
    """
    within = cast(Mapping[str, Any], body)["within"]
    said = [f"{future:,} row{'s' * (future != 1)} from the future"] if future else []
    if age is not None:
        old = f"{_spoken(age)} old" if age >= 0 else f"of {_spoken(-age)} from now"
        said.append(f"the newest row is {old}, {within} is allowed")
    elif total:
        said.append("no other row has a time" if future else "no row has a time")
    stale = bool(total) if age is None else age > seconds(within)
    return Tally(int(stale or future > 0), total, "; ".join(said))


def _spoken(duration: float) -> str:
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if abs(duration) >= 2 * size:
            return f"{duration / size:.0f}{unit}"
    return f"{duration:.0f}s"
