"""What a lane sends of its own on env.py's connection, at the least cost that the connection's driver allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import psycopg
from psycopg import pq
from sqlalchemy import TextClause, text

from provision.stores.postgres.ledger import INSERT

_BEGIN = "select set_config('lock_timeout', {limit}, true), set_config('application_name', {mark}, false)"
_PARAMETER = re.compile(r"%\((\w+)\)s")
_NAMES = tuple(dict.fromkeys(_PARAMETER.findall(INSERT)))
_NUMBERED = _PARAMETER.sub(lambda match: f"${_NAMES.index(match[1]) + 1}", INSERT).encode()


def begin(connection: Any, limit: str, mark: str) -> None:
    """Begin a transaction that waits for locks no longer than `limit`, and show `mark` as the application's name."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        connection.execute(_for_any_driver(_BEGIN.format(limit=":limit", mark=":mark")), {"limit": limit, "mark": mark})
        return
    filled = _BEGIN.format(limit=_literal(driver, limit), mark=_literal(driver, mark))
    if _begins_plainly(driver):
        # Before its first statement psycopg would send a BEGIN of its own: one more round trip.
        _checked(driver.pgconn.exec_(f"begin; {filled}".encode(driver.info.encoding)))
    else:
        driver.execute(filled.encode(driver.info.encoding))


def append(connection: Any, fields: Mapping[str, object]) -> int:
    """Insert a ledger entry into the open transaction; how many rows that made."""
    driver = connection.connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        made: int = connection.execute(_for_any_driver(_PARAMETER.sub(r":\1", INSERT)), fields).rowcount
        return made
    encoding = driver.info.encoding
    values = [None if (value := fields[name]) is None else str(value).encode(encoding) for name in _NAMES]
    return _checked(driver.pgconn.exec_params(_NUMBERED, values)).command_tuples or 0


def _begins_plainly(driver: psycopg.Connection[Any]) -> bool:
    """Whether psycopg would send BEGIN, and nothing but that."""
    options = (driver.isolation_level, driver.read_only, driver.deferrable)
    idle = driver.info.transaction_status is pq.TransactionStatus.IDLE
    return idle and not driver.autocommit and all(option is None for option in options)


def _literal(driver: psycopg.Connection[Any], value: str) -> str:
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
