"""Asks PostgreSQL what it thinks of a table's checks before anything is read: names, expressions, rights."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import psycopg

from provision.errors import ConfigError, ProvisionError
from provision.model.checks import Check, Table
from provision.stores.postgres.backfill.expression import not_one
from provision.stores.postgres.validate.sql import Types, table_name
from provision.text.nearest import meant, near
from provision.validate.columns import hidden_rows, no_text, used

_BOOLEAN = 16
_COLUMNS = """
select attname, format_type(atttypid, null) from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""
_TABLES = """
select relname, nspname from pg_class join pg_namespace n on n.oid = relnamespace
where relkind = any(%s::"char"[]) and nspname not in ('pg_catalog', 'information_schema', 'provision')
"""
_KEY = """
select attname from pg_index join pg_attribute on attrelid = indrelid and attnum = any(indkey)
where indrelid = to_regclass(%s) and indisprimary order by array_position(indkey::int2[], attnum)
"""
_BASE = "select format_type(%s, null)"
Execute = Callable[..., psycopg.Cursor[Any]]


def types_of(execute: Execute, table: str) -> dict[str, str]:
    """Column → type; empty for a table that is not there."""
    return {str(row[0]): str(row[1]) for row in execute(_COLUMNS, (table_name(table),))}


def primary_key(execute: Execute, table: str) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in execute(_KEY, (table_name(table),)))


def unknown_table(execute: Execute, store: str, table: str, place: str, kinds: str = "rpvmf") -> ConfigError:
    """The error for a table that is not there; `kinds` are those of pg_class.relkind that may be meant."""
    known = [(str(name), str(schema)) for name, schema in execute(_TABLES, (list(kinds),))]
    if execute("select to_regclass(%s)", (table_name(table),)).fetchone() != (None,):
        return ConfigError("unknown-table", f"{store}: {table} has no columns", where=place, fix="name another table")
    names = sorted({name for name, _ in known} | {f"{schema}.{name}" for name, schema in known})
    otherwise = "correct the name, or run `provision up` first"
    fix = "give it a name without a dot, or name a view of it" if table in names else meant(table, names, otherwise)
    return ConfigError("unknown-table", f"{store} has no table {table}", where=place, fix=fix)


def bad_expressions(execute: Execute, table: Table, types: Types) -> Iterator[ProvisionError]:
    """An error for every expression that the server refuses or that is neither true nor false."""
    for check in table.checks:
        if check.kind != "bad":
            continue
        if found := list(not_one(check.name, str(check.body), check.place)):
            yield from found
        else:
            query = f"select (\n{check.body}\n) from {table_name(table.name)} limit 0"
            yield from refusals(execute, query, table, check, types, _not_boolean)


def _not_boolean(execute: Execute, cursor: psycopg.Cursor[Any], check: Check) -> Iterator[ProvisionError]:
    found = [each.type_code for each in cursor.description or ()]
    if found == [_BOOLEAN]:
        return
    kind = execute(_BASE, (found[0],)).fetchone() if len(found) == 1 else None
    what = f"the expression of {check.name} is {kind[0] if kind else 'several values'}, neither true nor false"
    yield ConfigError("bad-expression", what, where=check.place, fix="compare it with something")


def refusals(
    execute: Execute,
    query: str,
    table: Table,
    check: Check,
    types: Types,
    accept: Callable[[Execute, psycopg.Cursor[Any], Check], Iterator[ProvisionError]] | None = None,
) -> Iterator[ProvisionError]:
    """What the server says against a query made for a check, if anything."""
    try:
        cursor = execute(query)
    except psycopg.Error as error:
        yield _explained(error, table, check, types)
        return
    if accept is not None:
        yield from accept(execute, cursor, check)


def _explained(error: psycopg.Error, table: Table, check: Check, types: Types) -> ConfigError:
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        # The server names the table whose policy would have hidden rows, in the language of the server.
        if hidden := re.search(r"row-level security policy.*\"(.+)\"", str(error.diag.message_primary)):
            return hidden_rows(table.store, hidden[1], check.place)
        return ConfigError(
            "no-privilege",
            f"{table.store}: {error.diag.message_primary}",
            where=check.place,
            fix=f"grant select on {table.name} to the user of the url",
        )
    message = str(error.diag.message_primary or error)
    if check.kind == "max_length" and isinstance(error, psycopg.errors.UndefinedFunction):
        return no_text(check, types[used(check)[0]])
    if isinstance(error, psycopg.errors.UndefinedColumn):
        column = message.split('"')[1] if '"' in message else message.split(" ")[1]
        fix = near(column.rpartition(".")[2], list(types), "its columns")
        return ConfigError("unknown-column", f"{check.name}: {message}", where=check.place, fix=fix)
    return ConfigError("bad-expression", f"{check.name}: {message}", where=check.place, fix=_hint(error))


def _hint(error: psycopg.Error) -> str:
    return str(error.diag.message_hint or "correct the expression").replace("\n", " ")


Pictures = Mapping[str, Types]
