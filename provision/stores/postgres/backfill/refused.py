"""Asks PostgreSQL what it thinks of a backfill before a row is touched: names, expressions, key, rights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import psycopg

from provision.errors import ConfigError, ProvisionError
from provision.model.backfills import Backfill
from provision.stores.postgres.backfill.expression import not_one
from provision.stores.postgres.backfill.sql import PHYSICAL, Shape
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate.refused import unknown_table
from provision.stores.postgres.validate.sql import name, table_name
from provision.text.nearest import near

_BOOLEAN = 16
_ABOUT = "select relkind::text, row_security_active(oid) from pg_class where oid = to_regclass(%s)"
_COLUMNS = """
select attname, format_type(atttypid, atttypmod), attnotnull, attgenerated::text from pg_attribute
where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped order by attnum
"""
_UNIQUE = """
select array(select attname::text from unnest(indkey::int2[]) with ordinality u(number, place)
             join pg_attribute on attrelid = indrelid and attnum = u.number
             where u.place <= indnkeyatts order by u.place),
       indisprimary
from pg_index where indrelid = to_regclass(%s) and indisunique and indisvalid and indpred is null and indexprs is null
order by indisprimary desc, indnkeyatts
"""
Columns = Mapping[str, tuple[str, bool]]
"""Column → its type, and whether it is NOT NULL."""


def columns_of(connection: Connection, table: str) -> dict[str, tuple[str, bool]]:
    rows = connection.execute(_COLUMNS, (table_name(table),))
    return {str(row[0]): (str(row[1]), bool(row[2])) for row in rows}


def keys_of(connection: Connection, table: str) -> list[tuple[str, ...]]:
    """The columns of each unique index, in its order, the primary key first."""
    return [tuple(row[0]) for row in connection.execute(_UNIQUE, (table_name(table),))]


def key_of(backfill: Backfill, keys: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The key to go by, in the order of its index: the one the document names, else the primary key; empty for none."""
    written = backfill.body.get("key")
    if written is None:
        return keys[0] if keys else ()
    named = [written] if isinstance(written, str) else [str(each) for each in written]  # type: ignore[attr-defined]  # the schema says that it is a list
    return next((each for each in keys if sorted(each) == sorted(named)), tuple(named))


def unknown(backfill: Backfill, connection: Connection, columns: Columns) -> Iterator[ConfigError]:
    """An error for a table that is not there, or for each column that it has not."""
    table = str(backfill.body["table"])
    if not columns:
        yield unknown_table(connection.execute, backfill.store, table, backfill.place("table"), kinds="rp")
        return
    for column, place in _named(backfill):
        if column not in columns:
            fix = near(column, list(columns), "its columns")
            yield ConfigError("unknown-column", f"{table} has no column {column}", where=place, fix=fix)


def wrong_key(backfill: Backfill, columns: Columns, keys: Sequence[tuple[str, ...]]) -> Iterator[ConfigError]:
    """An error for a key by which the rows cannot be walked."""
    table, key = str(backfill.body["table"]), key_of(backfill, keys)
    where = backfill.place("key") if "key" in backfill.body else backfill.place("table")
    offered = "; ".join(f"[{', '.join(each)}]" for each in keys)
    fix = f"unique here: {offered}" if offered else f"create a unique index on {table} first"
    if not key:
        yield ConfigError(
            "key-missing", f"{table} has no primary key to walk by", where=where, fix=f"name `key`; {fix}"
        )
    elif key not in keys:
        yield ConfigError("key-not-unique", f"{', '.join(key)} of {table} is not unique", where=where, fix=fix)
    else:
        for column in key:
            if not columns[column][1]:
                what = f"{column} of {table} may be NULL, so that a key does not find every row"
                fix = "choose a key whose columns are NOT NULL"
                yield ConfigError("key-nullable", what, where=where, fix=fix)


def unfit(backfill: Backfill, connection: Connection) -> Iterator[ConfigError]:
    """An error for a table that cannot be filled in this way, or not by this user."""
    table = str(backfill.body["table"])
    kind, hidden = connection.execute(_ABOUT, (table_name(table),)).fetchone() or ("", False)
    if kind not in ("r", "p"):
        what, fix = f"{table} is not a table", "name the table that it is made of"
        yield ConfigError("not-a-table", what, where=backfill.place("table"), fix=fix)
    if hidden:
        what = f"row security hides rows of {table} from this user: they would stay as they are, unsaid"
        fix = "use the owner of the table, or a role with BYPASSRLS, in this store's url or `role`"
        yield ConfigError("row-security", what, where=backfill.place("table"), fix=fix)
    if backfill.body.get("order") == PHYSICAL and (kind == "p" or connection.info.server_version < 140000):
        why = "is partitioned" if kind == "p" else "is on PostgreSQL 13, which scans no ranges of it"
        what = f"{table} {why}: it has no physical order to walk in"
        yield ConfigError("order-impossible", what, where=backfill.place("order"), fix="write `order: key`")


def bad_expressions(backfill: Backfill, shape: Shape, connection: Connection) -> Iterator[ProvisionError]:
    """An error for every expression that the server refuses, or for the statement as a whole."""
    found: list[ProvisionError] = list(_flaws(backfill, shape))
    if found:
        yield from found
        return
    found = list(_refusal(backfill, connection, f"select ({shape.wanted}) from {shape.table} limit 0", "where"))
    if not found:  # what may stand in a list of columns may not always stand here
        filtered = f"explain select 1 from {shape.table} where ({shape.wanted})"
        found = list(_refusal(backfill, connection, filtered, "where"))
    for column, text in shape.assigned.items():
        query = f"explain update {shape.table} set {name(column)} = (\n{text}\n)"
        found += _refusal(backfill, connection, query, "set", column)
    yield from found
    whole = shape.update([]) if shape.assigned else shape.select([], "*", " for update")
    if not found:
        yield from _refusal(backfill, connection, f"explain {whole}", "set")


def _flaws(backfill: Backfill, shape: Shape) -> Iterator[ConfigError]:
    written = [(("where",), shape.where), *((("set", column), text) for column, text in shape.assigned.items())]
    for steps, text in written:
        yield from not_one(".".join(steps), text, backfill.place(*steps))


def bad_yield(backfill: Backfill, connection: Connection) -> Iterator[ConfigError]:
    """An error for a query of `yield.sql` that the server does not answer."""
    given: Any = backfill.body.get("yield", {})
    if "sql" not in given:
        return
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(str(given["sql"]).encode()).fetchone()
    except psycopg.Error as error:
        what = f"yield.sql: {error.diag.message_primary or error}"
        fix = str(error.diag.message_hint or "correct the query").replace("\n", " ")
        yield ConfigError("bad-yield", what, where=backfill.place("yield", "sql"), fix=fix)


def _refusal(backfill: Backfill, connection: Connection, query: str, *steps: str) -> Iterator[ProvisionError]:
    try:
        with connection.transaction():
            connection.execute("set transaction read only" if not query.startswith("explain") else "select 1")
            cursor = connection.execute(query.encode())
            found: Any = cursor.description
    except psycopg.Error as error:
        yield _explained(error, backfill, *steps)
        return
    if steps == ("where",) and not query.startswith("explain") and found[0].type_code != _BOOLEAN:
        what = "`where` is neither true nor false"
        yield ConfigError("bad-expression", what, where=backfill.place(*steps), fix="compare it with something")


def _explained(error: psycopg.Error, backfill: Backfill, *steps: str) -> ConfigError:
    message, where = str(error.diag.message_primary or error), backfill.place(*steps)
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        fix = f"grant select, update on {backfill.body['table']} to the user of the url"
        return ConfigError("no-privilege", f"{backfill.store}: {message}", where=where, fix=fix)
    subject = ".".join(steps)
    fix = str(error.diag.message_hint or "correct the expression").replace("\n", " ")
    code = "unknown-column" if isinstance(error, psycopg.errors.UndefinedColumn) else "bad-expression"
    return ConfigError(code, f"{subject}: {message}", where=where, fix=fix)


def _named(backfill: Backfill) -> Iterator[tuple[str, str]]:
    body: Mapping[str, Any] = backfill.body
    key = body.get("key", ())
    for column in (key,) if isinstance(key, str) else key:
        yield str(column), backfill.place("key")
    for column in body.get("set", ()):
        yield str(column), backfill.place("set", column)
    for column in body.get("columns", ()):
        yield str(column), backfill.place("columns")
