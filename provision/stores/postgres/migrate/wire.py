"""What a lane sends of its own on env.py's connection, at the least cost that the connection's driver allows."""

from __future__ import annotations

import itertools
import os
import re
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import psycopg
from psycopg import pq
from sqlalchemy import TextClause, text

from provision.errors import LeaseLost
from provision.net import keepalive
from provision.stores.postgres.ledger import INSERT

# Which database on which server: what a name or a url may hide.
WHICH = "current_database()::text, (extract(epoch from pg_postmaster_start_time()) * 1000000)::int8"
_BEGIN = f"""
select set_config('lock_timeout', {{limit}}, true), set_config('application_name', {{mark}}, false), {WHICH},
       pg_backend_pid(), pg_current_xact_id()::text, (extract(epoch from now()) * 1000000)::int8
"""
_OWN = 7  # columns of it, of which the first two are the settings
_NUMBERS = itertools.count(1)
Given = tuple[str, str, Sequence[int]]  # the limit and the mark of a step, and the numbers of its question
_PARAMETER = re.compile(r"%\((\w+)\)s")
# After one of these the server does not know any more what was prepared.
_FORGETS = re.compile(r"deallocate|discard", re.IGNORECASE)
_NAMES = tuple(dict.fromkeys(_PARAMETER.findall(INSERT)))
_INSERT = f"{INSERT.rstrip()} returning pg_current_xact_id()::text"
_NUMBERED = _PARAMETER.sub(lambda match: f"${_NAMES.index(match[1]) + 1}", _INSERT).encode()


class Transaction(NamedTuple):
    """A transaction as the server names it, all in its own words: the database it is in, the start of that server.

    `since` is in microseconds of the epoch; `more` is what was asked besides.
    """

    database: str
    started: str
    pid: str
    xid: str
    since: str
    more: tuple[str, ...] = ()


def keep_alive(connection: Any) -> None:
    """Let the kernel notice a server that is gone, whatever env.py says; a driver may not show its socket."""
    driver = connection.connection.driver_connection
    if callable(number := getattr(driver, "fileno", None)):
        with socket.socket(fileno=os.dup(number())) as shared:
            keepalive.keep_alive(shared)


def begin(connection: Any, limit: str, mark: str) -> Transaction:
    """Begin a transaction that waits for locks no longer than `limit`, and show `mark` as the application's name."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        statement = _for_any_driver(_BEGIN.format(limit=":limit", mark=":mark"))
        return _transaction(connection.execute(statement, {"limit": limit, "mark": mark}).fetchone())
    filled = _BEGIN.format(limit=_literal(driver, limit), mark=_literal(driver, mark))
    encoding = driver.info.encoding
    if not _in_own_words(driver, pq.TransactionStatus.IDLE):
        return _transaction(driver.execute(filled.encode(encoding)).fetchone())
    # Before its first statement psycopg would send a BEGIN of its own: one more round trip.
    return _transaction(_row(_checked(driver.pgconn.exec_(f"begin; {filled}".encode(encoding))), encoding))


class Forgotten(Exception):
    """Raised when the server does not know any more what it was asked to prepare: the transaction is to be undone."""


class Ahead:
    """`begin` that asks for more columns in the same request, and `append`, both planned by the server once.

    That halves what they cost. `more` are the columns; its parameters are numbers, from $3 on.
    """

    def __init__(self, connection: Any, more: str) -> None:
        """Raises psycopg.Error."""
        self.driver = connection.connection.driver_connection
        self.begun: tuple[bytes, Any] | None = None
        number = next(_NUMBERS)
        self._name, self._append = f"provision_begin_{number}", f"provision_append_{number}".encode()
        text = f"{_BEGIN.format(limit='$1', mark='$2')}, {more}"
        _checked(self.driver.pgconn.prepare(self._name.encode(), text.encode(self.driver.info.encoding)))
        _checked(self.driver.pgconn.prepare(self._append, _NUMBERED))

    def request(self, limit: str, mark: str, numbers: Sequence[int]) -> bytes:
        """What begins a transaction."""
        arguments = ", ".join((_literal(self.driver, limit), _literal(self.driver, mark), *map(str, numbers)))
        return f"begin; execute {self._name} ({arguments})".encode(self.driver.info.encoding)

    def commit(self, request: bytes, meanwhile: Callable[[], None]) -> None:
        """Commit, and begin with the request where that went well: one answer for both, which `begin` finds.

        Raises psycopg.Error for the commit alone.
        """
        with self.driver.lock:
            self.driver.pgconn.send_query(b"commit; " + request)
            try:
                meanwhile()
            finally:  # an answer that nobody fetched would be taken for that of the next request
                committed, *begun = iter(self.driver.pgconn.get_result, None)
        _checked(committed)
        self.begun = request, begun[-1]

    def stands(self) -> bool:
        """Whether the transaction that a commit began is there still."""
        return self.begun is not None and self.driver.info.transaction_status is not pq.TransactionStatus.IDLE

    def begin(self, request: bytes) -> Transaction:
        """Raises psycopg.Error: the transaction is to be rolled back."""
        begun, self.begun = (self.begun if self.stands() else None), None
        if begun is not None and begun[0] != request:
            self.driver.rollback()
            begun = None
        result = self.driver.pgconn.exec_(request) if begun is None else begun[1]
        return _transaction(_row(_checked(result), self.driver.info.encoding))

    def append(self, fields: Mapping[str, object]) -> str | None:
        """See the function `append`."""
        return _appended(self.driver.pgconn.exec_prepared(self._append, _given(self.driver, fields)))


def asks_more(connection: Any) -> bool:
    """Whether there can be an `Ahead`: one request begins the transaction, none is open, and statements are kept.

    psycopg's `prepare_threshold` of None says that they are not: a pooler stands before the server.
    """
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection) or driver.prepare_threshold is None:
        return False
    return _in_own_words(driver, pq.TransactionStatus.IDLE)


class Beginnings:
    """`Ahead` for the connection in hand, for as long as that works."""

    def __init__(self) -> None:
        self._ahead: Ahead | None = None
        self._plainly = False  # asking for more failed once

    def asks_more(self, connection: Any) -> bool:
        """Whether `ahead` can be asked."""
        begun = self._ahead is not None and self._ahead.stands()
        return begun or (not self._plainly and asks_more(connection))

    def commit(self, driver: Any, following: tuple[Given, Callable[[], None]] | None) -> None:
        """Commit; `following` is what the next step is begun with (see Ahead.request), and what to do meanwhile.

        Where the last one was begun so too: else psycopg commits.
        """
        ahead = None if self._ahead is None or self._ahead.driver is not driver or self._plainly else self._ahead
        if ahead is not None:
            ahead.begun = None
        if following is None or ahead is None or not _commits_plainly(driver):
            type(driver).commit(driver)
        else:
            ahead.commit(ahead.request(*following[0]), following[1])

    def ahead(self, connection: Any, more: str, given: Given) -> Transaction:
        """See Ahead.begin. Raises psycopg.Error, the transaction rolled back: one can be begun plainly."""
        driver = connection.connection.driver_connection
        try:
            if self._ahead is None or self._ahead.driver is not driver:
                self._ahead = Ahead(connection, more)
            return self._ahead.begin(self._ahead.request(*given))
        except psycopg.Error:
            self._plainly = True
            driver.rollback()
            raise

    def append(
        self, connection: Any, fields: Mapping[str, object], transaction: Transaction, sent: Iterable[str]
    ) -> str:
        """See the function of that name; `sent` are the statements of the transaction. Raises LeaseLost, Forgotten."""
        ahead = self._ahead if transaction.more and not any(map(_FORGETS.search, sent)) else None
        try:
            xid = append(connection, fields) if ahead is None else ahead.append(fields)
        except psycopg.errors.InvalidSqlStatementName as error:  # by a function, which does not show
            self._plainly = True
            raise Forgotten(str(error)) from None
        if xid is None:
            raise LeaseLost(f"a run with a token above {fields['token']}")
        return xid


def append(connection: Any, fields: Mapping[str, object]) -> str | None:
    """Insert a ledger entry into the open transaction; the number of that, None when a fence refuses the entry."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        row = connection.execute(_for_any_driver(_PARAMETER.sub(r":\1", _INSERT)), fields).fetchone()
        return None if row is None else str(row[0])
    return _appended(driver.pgconn.exec_params(_NUMBERED, _given(driver, fields)))


def _given(driver: psycopg.Connection[Any], fields: Mapping[str, object]) -> list[bytes | None]:
    encoding = driver.info.encoding
    return [None if (value := fields[name]) is None else str(value).encode(encoding) for name in _NAMES]


def _appended(result: Any) -> str | None:
    _checked(result)
    return (result.get_value(0, 0) or b"").decode() if result.ntuples else None


def in_transaction(connection: Any) -> bool | None:
    """Whether the driver knows the server to be in a transaction; None for a driver that does not say."""
    driver = connection.connection.driver_connection
    if isinstance(driver, psycopg.Connection):
        return bool(driver.pgconn.transaction_status)  # IDLE is 0
    if hasattr(driver, "is_in_transaction"):
        return bool(driver.is_in_transaction())
    status = getattr(getattr(driver, "info", None), "transaction_status", None)
    return None if status is None else bool(int(status))


def autocommits(connection: Any) -> bool:
    """Whether each statement is its own transaction, by env.py's wish."""
    pooled = connection.connection
    return any(getattr(each, "autocommit", False) for each in (pooled.dbapi_connection, pooled.driver_connection))


def _transaction(row: Any) -> Transaction:
    database, started, pid, xid, since = map(str, row[2:_OWN])
    return Transaction(database, started, pid, xid, since, tuple(row[_OWN:]))


def _row(result: Any, encoding: str) -> list[str]:
    return [(result.get_value(0, column) or b"").decode(encoding) for column in range(result.nfields)]


def _in_own_words(driver: psycopg.Connection[Any], status: pq.TransactionStatus) -> bool:
    """Whether the connection is in that state, and psycopg would send BEGIN or COMMIT then, and nothing but that."""
    options = (driver.isolation_level, driver.read_only, driver.deferrable)
    return driver.info.transaction_status is status and not driver.autocommit and all(each is None for each in options)


def _commits_plainly(driver: psycopg.Connection[Any]) -> bool:
    """Whether psycopg would send COMMIT, and nothing but that: it has no reason of its own to refuse it either."""
    inside = any(getattr(driver, name, True) for name in ("_num_transactions", "_tpc", "_pipeline"))
    return not inside and _in_own_words(driver, pq.TransactionStatus.INTRANS)


def _literal(driver: psycopg.Connection[Any], value: str) -> str:
    if value.isascii() and "'" not in value and "\\" not in value:
        return f"'{value}'"
    encoding = driver.info.encoding
    return pq.Escaping(driver.pgconn).escape_literal(value.encode(encoding)).decode(encoding)


def _checked(result: Any) -> Any:
    """The result of libpq. Raises psycopg.Error."""
    if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
        raise psycopg.errors.error_from_result(result)
    return result


@lru_cache
def _for_any_driver(statement: str) -> TextClause:
    """A statement with `:name` parameters as each driver writes them in its own way."""
    # A name followed by a colon is no parameter to SQLAlchemy, so that `::` has to go.
    return text(re.sub(r":(\w+)::(\w+)", r"cast(:\1 as \2)", statement))
