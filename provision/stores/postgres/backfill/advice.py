"""What the author of a backfill should know before it runs, and what a plain DEFAULT would do as well."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import psycopg

from provision.model.backfills import Backfill
from provision.stores.postgres.backfill.refused import columns_of
from provision.stores.postgres.backfill.sql import PHYSICAL, Shape, shape
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate.sql import literal, name

ENOUGH = 8 * 2**30  # bytes of max_wal_size with which random keys cost no more WAL than others
_WAL = """
select pg_size_bytes(current_setting('max_wal_size')), pg_total_relation_size({0}::regclass),
       current_setting('max_wal_size')
"""
_TRIGGERS = """
select string_agg(tgname, ', ' order by tgname) from pg_trigger
where tgrelid = {0}::regclass and not tgisinternal and tgenabled <> 'D' and tgtype & 16 = 16
"""
_INDEXED = """
select string_agg(distinct indexrelid::regclass::text, ', ') from pg_index
join pg_attribute on attrelid = indrelid and attnum = any(indkey) where indrelid = {0}::regclass and attname = any({1})
"""
# Without this right replicas and vacuums of others are seen as NULL, so that nobody gives way to them.
_BLIND = "select not pg_has_role('pg_read_all_stats', 'usage')"
_DEPENDENTS = """
select count(*) from pg_depend join pg_attribute on attrelid = refobjid and attnum = refobjsubid
where refobjid = {0}::regclass and attname = {1} and deptype in ('n', 'a')
"""
# What EXPLAIN shows of an expression once everything that is constant in it is worked out.
_CONSTANT = re.compile(r"(?:-?[\d.]+|'(?:[^']|'')*'|true|false)(?:::[\w .\"()\[\],]+)?|'\(?-?[\d.]+\)?'::[\w ().,]+")


def warnings(connection: Connection, backfill: Backfill, made: Shape) -> Iterator[str]:
    """One line each."""
    table = literal(made.table)
    if backfill.body.get("order") != PHYSICAL and made.types[:1] == ("uuid",) and _random(connection, made):
        limit, size, shown = _row(connection, _WAL.format(table))
        if limit < ENOUGH and size > limit // 4:
            yield (
                f"{made.key[0]} is random and max_wal_size is {shown}: walking by it writes each page"
                " many times (3 times the WAL); `order: physical` does not, nor does max_wal_size = 8GB"
            )
    if _row(connection, _BLIND)[0]:
        yield "this user sees neither replication lag nor autovacuum: grant pg_read_all_stats to it"
    if triggers := _row(connection, _TRIGGERS.format(table))[0]:
        yield f"every filled row fires {triggers}"
    if made.assigned and (indexes := _row(connection, _INDEXED.format(table, literal(list(made.assigned))))[0]):
        yield f"no update is a cheap one (HOT): what is filled stands in {indexes}"


def constants(connection: Connection, backfill: Backfill) -> Sequence[tuple[str, str, str]] | None:
    """Column, type and constant of each column to fill; None where a value differs by row or a row has one."""
    made = shape(backfill, (), ())
    columns = columns_of(connection, str(backfill.body["table"]))
    if not columns or not made.assigned or backfill.process is not None:
        return None
    nulls = ", ".join(f"null::{columns[each][0]} as {name(each)}" for each in made.assigned if each in columns)
    source = f" from (select {nulls}) only_these" if nulls else ""
    found = []
    for column, text in made.assigned.items():
        constant = _constant(connection, f"select (\n{text}\n){source}")
        if constant is None or (column in columns and not _empty(connection, made, column)):
            return None
        kind = columns[column][0] if column in columns else _row(connection, f"select pg_typeof({constant})::text")[0]
        found.append((column, str(kind), constant))
    return found


def _constant(connection: Connection, query: str) -> str | None:
    """The constant that an expression comes to when the columns to fill are all NULL; None where it is none."""
    try:
        with connection.transaction():
            plan = _row(connection, f"explain (verbose, format json) {query}")[0]
    except psycopg.Error:
        return None
    shown = plan[0]["Plan"].get("Output", [""])[0]
    return shown if _CONSTANT.fullmatch(shown) else None


def _empty(connection: Connection, made: Shape, column: str) -> bool:
    """True when no row has a value and nothing else of the schema stands on the column."""
    if _row(connection, _DEPENDENTS.format(literal(made.table), literal(column)))[0]:
        return False
    return not _row(connection, f"select exists (select from {made.table} where {name(column)} is not null)")[0]


def _random(connection: Connection, made: Shape) -> bool:
    """True for UUIDs of version 4, as a few of them say; those of version 7 are in the order of time."""
    key = name(made.key[0])
    few = f"select substr({key}::text, 15, 1) as version from {made.table} limit 100"
    query = f"select count(*) filter (where version = '4'), count(*) from ({few}) few"
    random, looked_at = _row(connection, query)
    return bool(looked_at) and random * 2 > looked_at


def _row(connection: Connection, query: str) -> tuple[Any, ...]:
    return connection.execute(query.encode()).fetchone() or (None,)
