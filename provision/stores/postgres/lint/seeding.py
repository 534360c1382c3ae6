"""Puts a few rows into empty tables, by the types of their columns, and takes them out again."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import NamedTuple

import psycopg
from psycopg import sql

from provision.stores.postgres.server import Connection

ROWS = 300
_COLUMNS = """
select a.attname, format_type(a.atttypid, a.atttypmod), t.typcategory, t.typtype, a.attnotnull,
    (select enumlabel from pg_enum where enumtypid = t.oid order by enumsortorder limit 1),
    (select string_agg(pg_get_constraintdef(k.oid), ' ') from pg_constraint k
        where k.contype = 'c' and a.attnum = any(k.conkey) and k.conrelid = a.attrelid),
    exists (select from pg_index x where x.indrelid = a.attrelid and x.indisunique and a.attnum = any(x.indkey))
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = %s and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum
"""
# By type, then by category of types: what row i has. The same for the same i everywhere, so that keys meet.
_BY_TYPE = {
    "uuid": "md5(i::text)::uuid",
    "jsonb": "'{}'",
    "json": "'{}'",
    "bytea": "decode(md5(i::text), 'hex')",
    "date": "current_date",
    "interval": "i * interval '1 second'",
}
_BY_CATEGORY = {"N": "i", "S": "i::text", "B": "i % 2 = 0", "D": "date_trunc('day', now()) + i * interval '1 minute'"}
_BY_CATEGORY |= {"A": "'{}'", "R": "'empty'", "V": "repeat('1', greatest(i % 2, 1))", "I": "'10.0.0.1'"}
_NAMED = re.compile(r"ARRAY\[\(?'((?:[^']|'')*)'|= '((?:[^']|'')*)'::")
_MODEST = "1 + i % 49"
_SMALLER = ("i", "1", "0", "0.5")


class _Column(NamedTuple):
    name: str
    type: str
    category: str
    kind: str
    required: bool
    label: str | None
    checks: str | None
    unique: bool

    def value(self, number: str, *, empty: bool, modest: bool) -> str:
        """An expression of the row number i; `number` is what columns with a check of their own have."""
        if empty and not self.required:
            return "null"
        if self.label is not None:
            return _quoted(self.label)
        named = _NAMED.search(self.checks or "")
        if named:
            return _quoted(named[1] or named[2] or "")
        plain = self.type.partition("(")[0]
        if self.category == "S" and (size := re.search(r"\((\d+)\)", self.type)):
            return f"right(i::text, {size[1]})"
        if self.category == "N" and (self.checks or "(" in self.type):
            return number if self.checks else f"i % {_largest(self.type)}"
        if self.category == "N" and modest and not self.unique:
            return _MODEST
        return _BY_TYPE.get(plain) or _BY_CATEGORY.get(self.category, "null")


def seeded(
    connection: Connection, tables: Iterable[int], *, empty: bool, modest: bool = False, count: int = ROWS
) -> Mapping[int, int]:
    """Give each table that has no row some, and say how many; those that take none are left out.

    `tables` are their oids; `empty` leaves null what may be null, `modest` keeps numbers below 50. Triggers and foreign
    keys do not see the rows, which are in no order.
    """
    made: dict[int, int] = {}
    connection.execute("set session_replication_role = replica")
    try:
        for oid in tables:
            (name,) = connection.execute("select %s::regclass::text", (oid,)).fetchone() or ("",)
            if connection.execute(f"select 1 from {name} limit 1".encode()).fetchone():
                continue
            columns = [_Column(*row) for row in connection.execute(_COLUMNS, (oid,)).fetchall()]
            values = partial(_values, columns, empty=empty, modest=modest)
            if columns and _filled(connection, name, columns, count, oid, values):
                made[oid] = count
    finally:
        connection.execute("set session_replication_role = origin")
    return made


def emptied(connection: Connection, tables: Iterable[int]) -> None:
    """Take every row out of the tables."""
    connection.execute("set session_replication_role = replica")
    for oid in tables:
        (name,) = connection.execute("select %s::regclass::text", (oid,)).fetchone() or ("",)
        connection.execute(f"delete from {name}".encode())
    connection.execute("set session_replication_role = origin")


def _values(columns: Iterable[_Column], number: str, *, empty: bool, modest: bool) -> str:
    return ", ".join(f"({each.value(number, empty=empty, modest=modest)})::{each.type}" for each in columns)


def _filled(
    connection: Connection, name: str, columns: list[_Column], count: int, seed: int, values: Callable[[str], str]
) -> bool:
    names = sql.SQL(", ").join(sql.Identifier(each.name) for each in columns).as_string(connection)
    for number in _SMALLER:
        statement = (
            f"insert into {name} ({names}) overriding system value"
            f" select {values(number)} from generate_series(1, {count}) as made(i)"
            f" order by hashint4extended(i, {seed})"
        )
        try:
            connection.execute(statement.encode())
        except psycopg.Error:
            continue  # this table wants other values
        return True
    return False


def _largest(stated: str) -> int:
    """The first number that a numeric does not hold."""
    size = [int(each) for each in re.findall(r"\d+", stated)]
    return int(10 ** min(size[0] - (size[1] if len(size) > 1 else 0), 6)) if size else 1000


def _quoted(text: str) -> str:
    return "'" + text.replace("''", "'").replace("'", "''") + "'"
