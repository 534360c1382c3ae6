"""Data checks in PostgreSQL: one scan for all row checks of a table, in a read-only transaction with a time limit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any, cast

import psycopg

from provision.errors import FailedError, ProvisionError
from provision.model.checks import MIN_ROWS, Check, Row, Scope, Table, Tally
from provision.model.checks import ROWS as ROWS_NAME
from provision.stores.postgres.reading import reader
from provision.stores.postgres.server import Connection
from provision.stores.postgres.validate import refused, sql
from provision.stores.postgres.validate.keyed import PostgresKeyed
from provision.stores.postgres.validate.queries import PostgresQueries
from provision.stores.postgres.validate.sql import (
    OTHERS,
    ROWS,
    Types,
    clause,
    condition,
    counting,
    literal,
    name,
    table_name,
)
from provision.text.plain import MASKED, plain
from provision.validate.columns import SQL, age_tally, timeless, used
from provision.validate.scan import narrowing, unknown_columns

KINDS = SQL
TABLE: dict[str, dict[str, object]] = {}
# What a policy would filter is then an error: of the table itself, of those that an expression looks into, of the
# tables below a view. A time without a zone is in UTC, as `--since` has it, whatever the database's own zone is.
AS_THEY_ARE = b"select set_config('row_security', 'off', true), set_config('timezone', 'UTC', true)"


class PostgresChecks:
    """`provision.ports.validate.Checks` on a connection of its own."""

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._connection: Connection | None = None
        self._types: dict[str, Types] = {}
        self.keyed = PostgresKeyed(self.reading, self._streaming)
        self.queries = self.timed = PostgresQueries(self.reading, self._alone)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def refused(self, table: Table) -> Sequence[ProvisionError]:
        with self.reading(Scope(seconds=60)) as execute:
            types = refused.types_of(execute, table.name)
            if not types:
                return [refused.unknown_table(execute, table.store, table.name, table.place)]
            self._types[table.name] = types
            found: list[ProvisionError] = [
                *timeless(table),
                *unknown_columns(table, list(types), used, *narrowing(table)),
            ]
        if found:
            return found
        # Each in a transaction of its own, since an error ends one.
        rows = Check(ROWS_NAME, MIN_ROWS, {}, place=table.place)
        query = f"explain {scan(replace(table, checks=()), types, ())}"
        return (
            list(refused.refusals(self._alone, query, table, rows, types))
            or list(refused.bad_expressions(self._alone, table, types))
            or list(self._unexplained(table, types))
        )

    def tally(self, table: Table, scope: Scope) -> Sequence[Tally]:
        begun = time.monotonic()
        types = self._types_of(table)
        narrowed = sql.where(table.time, table.tenant, scope)
        with self.reading(scope) as execute:
            counts = execute(scan(table, types, narrowed)).fetchone() or (0,)
            total, at = int(counts[0]), iter(counts[1:])
            taken = round((time.monotonic() - begun) * 1000)
            found = [Tally(0, total, duration_ms=taken)]
            for check in table.checks:
                if check.kind in OTHERS:
                    found.append(_counted(execute, counting(check, table_name(table.name), narrowed), total))
                elif check.kind in ROWS:
                    found.append(Tally(int(next(at)), total, duration_ms=taken))
                else:
                    found.append(replace(age_tally(check.body, next(at), int(next(at)), total), duration_ms=taken))
        return found

    def samples(self, table: Table, check: Check, scope: Scope, limit: int) -> Sequence[Row]:
        types = self._types_of(table)
        narrowed = sql.where(table.time, table.tenant, scope)
        held = condition(check, types, table_name(table.name), narrowed)
        if held is None:
            return []
        with self.reading(scope) as execute:
            shown = check.sample or tuple(dict.fromkeys((*refused.primary_key(execute, table.name), *used(check))))
            if not shown:
                return []
            select = ", ".join(literal(MASKED) if each in check.mask else name(each) for each in shown)
            query = f"select {select} from {table_name(table.name)}{clause([*narrowed, held])} limit {limit:d}"
            return [dict(zip(shown, map(plain, row), strict=True)) for row in execute(query)]

    @contextmanager
    def reading(self, scope: Scope) -> Iterator[Callable[..., psycopg.Cursor[Any]]]:
        """Lend a read-only transaction; every statement in it sees the same rows.

        Raises FailedError (check-timeout, check-failed) and UnreachableError.
        """
        with self._transaction(self._open(), scope) as execute:
            yield execute

    @contextmanager
    def _streaming(self, scope: Scope) -> Iterator[tuple[Connection, Callable[..., psycopg.Cursor[Any]]]]:
        """As `reading`, on one more connection, so that others can be read while it is open."""
        with closing(reader(self._connect())) as connection, self._transaction(connection, scope) as execute:
            yield connection, execute

    @contextmanager
    def _transaction(self, connection: Connection, scope: Scope) -> Iterator[Callable[..., psycopg.Cursor[Any]]]:
        begun = time.monotonic()
        try:
            with connection.transaction():
                connection.execute("set transaction isolation level repeatable read, read only")
                connection.execute(f"set local statement_timeout = {max(1, round(scope.seconds * 1000))}".encode())
                connection.execute(AS_THEY_ARE)
                yield lambda query, parameters=None: connection.execute(
                    cast(Any, query.encode() if parameters is None else query), parameters
                )
        except psycopg.errors.LockNotAvailable:
            raise connection.table_locked() from None
        except psycopg.errors.QueryCanceled:
            # The server's own words for the two are in its language.
            if time.monotonic() - begun < scope.seconds:
                what = "the statement was cancelled on the server"
                raise FailedError("check-failed", what, fix="ask who did, then run it again") from None
            what = f"a statement took longer than {scope.seconds:g} s"
            raise FailedError("check-timeout", what, fix="raise --timeout, or narrow with --since") from None
        except psycopg.Error as error:
            what = str(error.diag.message_primary or error)
            raise FailedError("check-failed", what, fix="correct the check") from None

    def _open(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = reader(self._connect())
        return self._connection

    def _alone(self, query: str, parameters: object = None) -> psycopg.Cursor[Any]:
        """One statement in a read-only transaction; what the server refuses is raised as psycopg says it."""
        connection = self._open()
        with connection.transaction():
            connection.execute("set transaction read only")
            connection.execute(AS_THEY_ARE)
            return connection.execute(cast(Any, query.encode() if parameters is None else query), cast(Any, parameters))

    def _unexplained(self, table: Table, types: Types) -> Iterator[ProvisionError]:
        """What the planner says against the statements as they will be sent."""
        for check in table.checks:
            query = f"explain {scan(replace(table, checks=(check,)), types, ())}"
            if check.kind in OTHERS:
                query = f"explain {counting(check, table_name(table.name), ())}"
            yield from refused.refusals(self._alone, query, table, check, types)

    def _types_of(self, table: Table) -> Types:
        if table.name not in self._types:
            with self.reading(Scope(seconds=60)) as execute:
                self._types[table.name] = refused.types_of(execute, table.name)
        return self._types[table.name]


def _counted(execute: Callable[..., psycopg.Cursor[Any]], query: str, total: int) -> Tally:
    begun = time.monotonic()
    row = execute(query).fetchone() or (0,)
    return Tally(int(row[0]), total, duration_ms=round((time.monotonic() - begun) * 1000))


def scan(table: Table, types: Types, narrowed: Sequence[str]) -> str:
    """The one statement that counts all rows, and the bad ones of every row check."""
    select = ["count(*)"]
    for check in table.checks:
        if check.kind in ROWS:
            select.append(f"count(*) filter (where {ROWS[check.kind](check, types)})")
        elif check.kind not in OTHERS:
            select.append(sql.freshness_select(check, table.time))
    return f"select {', '.join(select)} from {table_name(table.name)}{clause(narrowed)}"
