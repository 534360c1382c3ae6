"""Asks ClickHouse what it thinks of a table's checks before anything is read: names, expressions, rights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from re import search

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import MIN_ROWS, ROWS, Check, Scope, Table
from provision.stores.clickhouse.policies import filtered
from provision.stores.clickhouse.reading import ReadOnlyQueries
from provision.stores.clickhouse.server import UNKNOWN_DATABASE, UNKNOWN_TABLE, ServerRefused
from provision.stores.clickhouse.validate.sql import (
    OTHERS,
    Types,
    counting,
    literal,
    plain_type,
    scan,
    source,
    table_name,
    texts,
)
from provision.text.nearest import meant, near
from provision.validate.columns import hidden_rows, no_text, timeless, used
from provision.validate.scan import narrowing, unknown_columns

UNKNOWN_IDENTIFIER, ACCESS_DENIED = 47, 497
_BRIEF = Scope(seconds=60)


def types_of(reading: ReadOnlyQueries, table: str) -> dict[str, str]:
    """Column → type; empty for a table that is not there."""
    try:
        return {str(row[0]): str(row[1]) for row in reading.ask(f"DESCRIBE TABLE {table_name(table)}", _BRIEF)}
    except ServerRefused as error:
        if error.number in (UNKNOWN_TABLE, UNKNOWN_DATABASE):
            return {}
        raise


def sorting_key(reading: ReadOnlyQueries, table: str) -> tuple[str, ...]:
    """The columns that rows are ordered by, which is as near to a key as a table has."""
    database, _, bare = table.rpartition(".")
    place = literal(database) if database else "currentDatabase()"
    query = (
        f"SELECT name FROM system.columns WHERE database = {place} AND table = {literal(bare)}"
        " AND is_in_sorting_key ORDER BY position"
    )
    return tuple(str(row[0]) for row in reading.rows(query, _BRIEF))


def refused(reading: ReadOnlyQueries, table: Table, types: Types) -> list[ProvisionError]:
    """Everything that is wrong with a table; `types` are its columns."""
    if not types:
        return [_unknown_table(reading, table)]
    return (
        [*timeless(table), *unknown_columns(table, list(types), used, *narrowing(table))]
        or [
            no_text(each, types[used(each)[0]])
            for each in table.checks
            if each.kind == "max_length" and not texts(types[used(each)[0]])
        ]
        or list(_bad_expressions(reading, table, types))
        or list(_unexplained(reading, table, types))
    )


def _unknown_table(reading: ReadOnlyQueries, table: Table) -> ConfigError:
    known = [str(row[0]) for row in reading.rows("SHOW TABLES", _BRIEF)]
    return ConfigError(
        "unknown-table",
        f"{table.store} has no table {table.name}",
        where=table.place,
        fix=meant(table.name, known, "correct the name, or run `provision up` first"),
    )


def _bad_expressions(reading: ReadOnlyQueries, table: Table, types: Types) -> Iterator[ProvisionError]:
    for check in table.checks:
        if check.kind != "bad":
            continue
        query = f"DESCRIBE TABLE (SELECT (\n{check.body}\n) FROM {source(table.name, table.options)})"
        try:
            found = reading.ask(query, _BRIEF)
            # Without parentheses around it, nothing can be read that would leave them: `a) or (b`.
            reading.ask(f"DESCRIBE TABLE (SELECT\n{check.body}\nFROM {source(table.name, table.options)})", _BRIEF)
        except ServerRefused as error:
            yield _explained(error, table, check, types)
            continue
        kind = str(found[0][1]) if len(found) == 1 else "several values"
        if plain_type(kind) not in ("UInt8", "Bool", "Nothing"):
            what = f"the expression of {check.name} is {kind}, neither true nor false"
            yield ConfigError("bad-expression", what, where=check.place, fix="compare it with something")


def _unexplained(reading: ReadOnlyQueries, table: Table, types: Types) -> Iterator[ProvisionError]:
    """What the planner says against the statements as they will be sent."""
    for check in (Check(ROWS, MIN_ROWS, {}, place=table.place), *table.checks):
        mine = () if check.kind == MIN_ROWS else (check,)
        query = counting(check, table, ()) if check.kind in OTHERS else scan(replace(table, checks=mine), types, ())
        found = list(of_query(reading, query, table, check, types))
        yield from found
        if any(each.code == "hidden-rows" for each in found):
            return


def of_query(
    reading: ReadOnlyQueries, query: str, table: Table, check: Check, types: Types
) -> Iterator[ProvisionError]:
    """What the planner says against a query, and the table of which it would not see every row."""
    try:
        hidden = filtered(lambda sql: reading.ask(sql, _BRIEF), query)
    except ServerRefused as error:
        yield _explained(error, table, check, types)
        return
    if hidden:
        yield hidden_rows(table.store, hidden, check.place)


def _explained(error: ServerRefused, table: Table, check: Check, types: Types) -> ConfigError:
    if error.number == ACCESS_DENIED:
        return ConfigError(
            "no-privilege",
            f"{table.store}: {_sentence(error)}",
            where=check.place,
            fix=f"GRANT SELECT ON {table.name} TO the user of the url",
        )
    if error.number == UNKNOWN_IDENTIFIER:
        named = search(r"`([^`]+)`", error.what) or search(r"identifier '([^']+)'", error.what)
        column = named[1] if named else ""
        what = f"{check.name}: there is no column {column}" if column else f"{check.name}: {_sentence(error)}"
        return ConfigError("unknown-column", what, where=check.place, fix=near(column, list(types), "its columns"))
    what = f"{check.name}: {_sentence(error)}"
    return ConfigError("bad-expression", what, where=check.place, fix="correct the expression")


def _sentence(error: ServerRefused) -> str:
    """The server's sentence without the query around it."""
    text = error.what.split(" In scope ")[0].split(" In query ")[0].split(" Expected one of")[0]
    return text.split(": while ")[0].rstrip(". ")
