"""Backfills in PostgreSQL: a batch, its cursor and its counters are one transaction."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg

from provision.errors import ProvisionError
from provision.model.backfills import NAMED, Backfill, Filled, Left, Pace, ServerSignal
from provision.stores.postgres.backfill import cut, refused
from provision.stores.postgres.backfill.advice import constants, warnings
from provision.stores.postgres.backfill.errors import refusal
from provision.stores.postgres.backfill.fill import TABLE_LOCKED, Batch, subject
from provision.stores.postgres.backfill.rows import PostgresSource
from provision.stores.postgres.backfill.runs import PostgresRuns
from provision.stores.postgres.backfill.signals import SignalReader
from provision.stores.postgres.backfill.sql import Shape, shape
from provision.stores.postgres.reading import limit, reader
from provision.stores.postgres.server import Connection
from provision.text.sizes import SIZE

_NAMES = {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1}}
_LAG = r"^[1-9][0-9]*(s|m|h)$"
KEYS: Mapping[str, Mapping[str, Any]] = {
    "table": {"type": "string", "minLength": 1, "description": "the name of a table, schema.table where it is needed"},
    "key": {
        "if": {"type": "array"},
        "then": _NAMES,
        "else": {"type": "string", "minLength": 1},
        "description": "a unique column, or a list of columns that are unique together; else the primary key",
    },
    "set": {
        "type": "object",
        "minProperties": 1,
        "description": "`column: expression` for each column to fill",
        "additionalProperties": {"type": ["string", "number", "boolean", "null"], "description": "an SQL expression"},
    },
    "where": {"type": "string", "minLength": 1, "description": "an SQL condition: which rows want filling"},
    "order": {"enum": ["key", "physical"], "description": "key, or physical for random keys"},
    "verify": {"type": "string", "minLength": 1, "description": "an SQL query that answers true when all is well"},
    "yield": {
        "type": "object",
        "description": "what to give way to",
        "additionalProperties": False,
        "properties": {
            "replication_lag": {"type": "string", "pattern": _LAG, "description": "the most lag of a replica: 10s"},
            "wal": {"type": "string", "pattern": SIZE, "description": "the most WAL a second: 64MB"},
            "autovacuum": {"type": "boolean", "description": "false: not to autovacuum on the table"},
            "locked": {"type": "string", "pattern": _LAG, "description": "how long locked rows are waited for: 10m"},
            "sql": {"type": "string", "minLength": 1, "description": "a query: true, a text or a number means wait"},
        },
    },
}
REQUIRED = ("table", "set", "where")
CODE = {**{key: KEYS[key] for key in ("table", "key", "where", "order", "verify", "yield")}, "columns": _NAMES}
"""What the `collection()` of backfills/*.py may answer; its `process(batch)` stands in the place of `set`."""
CODE_REQUIRED = ("table", "where")
# Cursors are texts of the key: whatever the role or the database prefers, they are read as they were written.
_SETTINGS = """
select set_config('application_name', %s, false), set_config('datestyle', 'ISO', false),
    set_config('intervalstyle', 'iso_8601', false), set_config('extra_float_digits', '1', false),
    set_config('standard_conforming_strings', 'on', false)
"""


class PostgresBatches:
    """`provision.ports.backfill.Batches`."""

    def __init__(self, connect: Callable[[], Connection], project: str, store: str) -> None:
        # It prints what a lost connection interrupts; that is said in our words, once, where it matters.
        logging.getLogger("psycopg").setLevel(logging.CRITICAL)
        self._connect, self._project, self._store = connect, project, store
        self._connection: Connection | None = None
        self._turn = threading.Lock()
        self.runs = PostgresRuns(self._open, project, store)

    def work(self, backfill: Backfill) -> PostgresWork:
        return PostgresWork(self._connect(), backfill, {"project": self._project, "store": self._store})

    def source(self, origin: Backfill) -> PostgresSource:
        return PostgresSource(self._connect(), origin)

    def now(self) -> datetime:
        row = self._open().execute("select clock_timestamp()").fetchone()
        assert row is not None
        found: datetime = row[0]
        return found.astimezone(UTC)

    def suggestion(self, backfill: Backfill) -> Sequence[tuple[str, str, str]] | None:
        return constants(self._open(), backfill)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _open(self) -> Connection:
        """One connection for all that is not a batch; a new one where the server closed it."""
        with self._turn:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            return self._connection


class PostgresWork:
    """`provision.ports.backfill.Work`."""

    shared = True
    once = False

    def __init__(self, connection: Connection, backfill: Backfill, owner: Mapping[str, str]) -> None:
        self._connection, self._backfill, self._owner = connection, backfill, owner
        self._signals: SignalReader | None = None
        self._shape: Shape | None = None
        self._batch: Batch | None = None
        with self._refusals_worded():
            connection.execute(_SETTINGS, (self._mark,))
            reader(connection, backfill.locked)

    def refused(self) -> Sequence[ProvisionError]:
        with self._refusals_worded():
            return self._refused()

    def _refused(self) -> Sequence[ProvisionError]:
        table = str(self._backfill.body["table"])
        columns = refused.columns_of(self._connection, table)
        found: list[ProvisionError] = list(refused.unknown(self._backfill, self._connection, columns))
        if found:
            return found
        keys = refused.keys_of(self._connection, table)
        found = [*refused.unfit(self._backfill, self._connection)]
        found = found or [*refused.wrong_key(self._backfill, columns, keys)]
        found += refused.bad_expressions(self._backfill, self._shaped(), self._connection)
        found += refused.bad_yield(self._backfill, self._connection)
        return found

    def warnings(self) -> Sequence[str]:
        with self._refusals_worded():
            return list(warnings(self._connection, self._backfill, self._shaped()))

    def total(self) -> int | None:
        with self._refusals_worded():
            return cut.total(self._connection, self._shaped())

    def size(self) -> int | None:
        with self._refusals_worded():
            return cut.size(self._connection, self._shaped())

    def width(self) -> int:
        with self._refusals_worded():
            return cut.width(self._connection, self._shaped())

    def cursors(self, parts: int) -> Sequence[object]:
        with self._refusals_worded():
            return cut.cursors(self._connection, self._backfill, self._shaped(), parts)

    def rest(self) -> Sequence[object]:
        return [{"rest": True, "after": None}]

    def fill(self, run: str, pace: Pace, *, skip: bool = False) -> Filled | None:
        if self._batch is None:
            with self._refusals_worded():
                limit(self._connection, TABLE_LOCKED)  # from now on each batch gives way by itself
                self._batch = Batch(self._connection, self._backfill, self._shaped(), self._owner)
        return self._batch.fill(run, pace, skip=skip)

    def left(self, run: str) -> Left:
        shape, others = self._shaped(), self._not_skipped(run)
        with self._refusals_worded():
            row = self._connection.execute(shape.count(others).encode()).fetchone()
            if not row or not row[0]:
                return Left(0)
            query = shape.select([others], shape.texts, f" order by {shape.keys} limit {NAMED}")
            keys = self._connection.execute(query.encode()).fetchall()
            return Left(int(row[0]), tuple(", ".join(key) for key in keys))

    def verified(self) -> str:
        query = self._backfill.body.get("verify")
        if query is None:
            return ""
        try:
            row = self._connection.execute(str(query).encode()).fetchone()
        except psycopg.Error as error:
            return f"`verify` cannot be asked: {error.diag.message_primary or error}"
        return "" if row and row[0] is True else f"`verify` answers {json.dumps(row[0] if row else None, default=str)}"

    def look(self) -> ServerSignal:
        with self._refusals_worded():
            if self._signals is None:
                self._connection.execute("set application_name = 'provision'")
                self._signals = SignalReader(self._connection, self._backfill, self._mark)
            return self._signals.look()

    def close(self) -> None:
        self._connection.close()

    @property
    def _mark(self) -> str:
        """The application name of every worker; PostgreSQL keeps 63 bytes of it."""
        return f"provision/{self._backfill.id}"[:63]

    def _not_skipped(self, run: str) -> str:
        return cut.not_skipped(self._shaped(), {**self._owner, "run": run})

    def _shaped(self) -> Shape:
        if self._shape is None:
            table = str(self._backfill.body["table"])
            columns = refused.columns_of(self._connection, table)
            if not columns:
                raise psycopg.errors.UndefinedTable(f'relation "{table}" does not exist')
            key = refused.key_of(self._backfill, refused.keys_of(self._connection, table))
            self._shape = shape(self._backfill, key, [columns.get(each, ("text", True))[0] for each in key])
        return self._shape

    @contextmanager
    def _refusals_worded(self) -> Iterator[None]:
        """The server's refusals in our words."""
        try:
            yield
        except psycopg.Error as error:
            raise refusal(error, subject(self._backfill), self._connection) from None
