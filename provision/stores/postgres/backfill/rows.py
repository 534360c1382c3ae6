"""Rows of a table of PostgreSQL, page by page in the order of a key, from which another store is filled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from typing import Any

import psycopg

from provision.errors import ConfigError, ProvisionError
from provision.model.backfills import Backfill, SourceRow
from provision.stores.postgres.backfill import refused
from provision.stores.postgres.backfill.errors import ErrorSubject, refusal, shown
from provision.stores.postgres.backfill.expression import not_one
from provision.stores.postgres.backfill.sql import Shape, shape
from provision.stores.postgres.reading import reader
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate.sql import name
from provision.text.plain import plain

_BOOLEAN = 16
# What a row is to blame for: its values, a subquery of more than one row, an exception of a function.
_OF_A_ROW = ("22", "21", "P0")
# Keys travel as text: whatever the role or the database prefers, they are read as they were written.
_SETTINGS = """
select set_config('application_name', 'provision', false), set_config('datestyle', 'ISO', false),
    set_config('intervalstyle', 'iso_8601', false), set_config('extra_float_digits', '1', false),
    set_config('standard_conforming_strings', 'on', false)
"""


class PostgresSource:
    """`provision.model.backfills.Source`; each page is a read-only transaction of its own."""

    def __init__(self, connection: Connection, origin: Backfill) -> None:
        self._connection = connection
        written: Any = origin.body["columns"]
        listed = isinstance(written, list)
        self._columns: Mapping[str, str] = {each: name(each) for each in written} if listed else written
        # What knows backfills looks at columns by their names: an expression has none.
        body = {key: value for key, value in origin.body.items() if key != "columns" or listed}
        self._document = replace(origin, body=body)
        self._shape: Shape | None = None
        with self._reading():
            connection.execute(_SETTINGS)
            reader(connection, origin.locked)

    def refused(self) -> Sequence[ProvisionError]:
        with self._reading():
            return self._refused()

    def _refused(self) -> Sequence[ProvisionError]:
        connection, document = self._connection, self._document
        table = str(document.body["table"])
        columns = refused.columns_of(connection, table)
        if found := list(refused.unknown(document, connection, columns)):
            return found
        keys = refused.keys_of(connection, table)
        found = [*refused.unfit(document, connection)] or [*refused.wrong_key(document, columns, keys)]
        return [*found, *self._bad_expressions()]

    def count(self, most: int | None = None) -> int:
        with self._reading():
            shape = self._shaped()
            query = shape.count()
            if most is not None:
                query = f"select count(*) from (select from {shape.table} where {shape.wanted} limit {most:d}) few"
            return int(self._sent(query)[0][0])

    def page(self, after: Sequence[str] | None, rows: int) -> Sequence[SourceRow]:
        """Fewer rows than asked for before one whose columns cannot be computed, which then comes alone."""
        with self._reading():
            try:
                return [self._row(found) for found in self._sent(self._select(after, rows, self._columns.values()))]
            except psycopg.Error as error:
                if not _of_a_row(error):
                    raise
                why = shown(error)
            if rows > 1:
                return self.page(after, rows // 2)
            return [replace(self._row(found), error=why) for found in self._sent(self._select(after, 1, ()))]

    def close(self) -> None:
        self._connection.close()

    def _select(self, after: Sequence[str] | None, rows: int, columns: Iterable[str]) -> str:
        shape = self._shaped()
        values = [f"(\n{text}\n) as provision_value_{n}" for n, text in enumerate(columns)]
        what = ", ".join([shape.texts, *values])
        return shape.select(shape.window(after, None), what, f" order by {shape.keys} limit {rows:d}")

    def _row(self, found: Sequence[Any]) -> SourceRow:
        key = len(self._shaped().key)
        return SourceRow(tuple(found[:key]), dict(zip(self._columns, map(_json, found[key:]), strict=False)))

    def _bad_expressions(self) -> Iterator[ConfigError]:
        """An error for the condition, and for every column, that the server refuses."""
        shape = self._shaped()
        mapped = "columns" not in self._document.body
        yield from self._refusal(shape.where, "where")
        for column, text in self._columns.items():
            yield from self._refusal(text, *(("columns", column) if mapped else ("columns",)))

    def _refusal(self, text: str, *steps: str) -> Iterator[ConfigError]:
        where = self._document.place(*steps)
        if wrong := list(not_one(".".join(steps), text, where)):
            yield from wrong
            return
        table = self._shaped().table
        query = f"select (\n{text}\n) from {table} limit 0"
        try:
            with self._connection.transaction():
                self._connection.execute("set transaction read only")
                found = self._connection.execute(query.encode()).description or ()
                if steps == ("where",) and [each.type_code for each in found] == [_BOOLEAN]:
                    self._connection.execute(f"explain select 1 from {table} where (\n{text}\n)".encode())
        except psycopg.Error as error:
            yield self._explained(error, where, ".".join(steps))
            return
        if steps == ("where",) and [each.type_code for each in found] != [_BOOLEAN]:
            what = "`where` is neither true nor false"
            yield ConfigError("bad-expression", what, where=where, fix="compare it with something")

    def _explained(self, error: psycopg.Error, where: str, subject: str) -> ConfigError:
        message = shown(error)
        if isinstance(error, psycopg.errors.InsufficientPrivilege):
            fix = f"grant select on {self._document.body['table']} to the user of the url"
            return ConfigError("no-privilege", f"{self._document.store}: {message}", where=where, fix=fix)
        fix = str(error.diag.message_hint or "correct the expression").replace("\n", " ")
        code = "unknown-column" if isinstance(error, psycopg.errors.UndefinedColumn) else "bad-expression"
        return ConfigError(code, f"{subject}: {message}", where=where, fix=fix)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        """A refusal in our words."""
        try:
            yield
        except psycopg.Error as error:
            document, table = self._document, str(self._document.body["table"])
            said = refusal(error, ErrorSubject(document.store, table, document.shown, document.name), self._connection)
            if said.code == "no-privilege":
                said.fix = f"grant select on {table} to the user of the url"
            raise said from None

    def _sent(self, query: str) -> list[tuple[Any, ...]]:
        with self._connection.transaction():
            self._connection.execute("set transaction read only")
            return self._connection.execute(query.encode()).fetchall()

    def _shaped(self) -> Shape:
        if self._shape is None:
            table = str(self._document.body["table"])
            columns = refused.columns_of(self._connection, table)
            if not columns:
                raise psycopg.errors.UndefinedTable(f'relation "{table}" does not exist')
            key = refused.key_of(self._document, refused.keys_of(self._connection, table))
            self._shape = shape(self._document, key, [columns.get(each, ("text", True))[0] for each in key])
        return self._shape


def _of_a_row(error: psycopg.Error) -> bool:
    # What psycopg itself cannot read, such as a moment at infinity, has no SQLSTATE.
    return isinstance(error, psycopg.DataError) or (error.sqlstate or "").startswith(_OF_A_ROW)


def _json(value: Any) -> object:
    """The value as JSON has it, nothing of it left out: `plain` would cut a long text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bytes | memoryview):
        return value.hex()
    if isinstance(value, Mapping):
        return {str(key): _json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_json(each) for each in value]
    if isinstance(value, Decimal) and math.isfinite(value) and value == value.to_integral_value():
        return int(value)
    return plain(value)
