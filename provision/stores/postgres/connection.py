"""Opens psycopg connections and says in our words why one cannot be had."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from provision.errors import ConfigError, ProvisionError, UnreachableError

OLDEST = 13
Connection = psycopg.Connection[Any]


def connect(url: str, store: str, *, timeout: int = 10) -> Connection:
    """An autocommit connection. Raises UnreachableError, or ConfigError (wrong-password, no-such-database, bad-url)."""
    try:
        return psycopg.connect(
            plain(url), autocommit=True, connect_timeout=timeout, application_name="provision", prepare_threshold=None
        )
    except psycopg.Error as error:
        raise _explained(str(error), store, place(url)) from None


def plain(url: str) -> str:
    """The url without SQLAlchemy's driver name: `postgresql+psycopg://` → `postgresql://`."""
    return re.sub(r"^postgres(?:ql)?(?:\+\w+)?://", "postgresql://", url)


def place(url: str) -> str:
    """Host, port and database of a url, for people: never the password."""
    try:
        parts = psycopg.conninfo.conninfo_to_dict(plain(url))
    except psycopg.Error:
        return "a url that libpq cannot read"
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"{host}{port}/{parts.get('dbname') or ''}"


def too_old(connection: Connection, store: str) -> ConfigError | None:
    version = connection.info.server_version // 10000
    if version >= OLDEST:
        return None
    return ConfigError(
        "server-too-old",
        f"{store} runs PostgreSQL {version}; {OLDEST} or newer is needed",
        where=f"{connection.info.host}/{connection.info.dbname}",
        fix="upgrade the server",
    )


def _explained(message: str, store: str, where: str) -> ProvisionError:
    text = message.strip().split("\n")[-1].removeprefix("FATAL:").strip()
    if "password authentication failed" in message or "no password supplied" in message:
        return ConfigError(
            "wrong-password",
            f"{store} refused the user or the password",
            where=where,
            fix="correct the url's user info",
        )
    missing = re.search(r'database "([^"]*)" does not exist', message)
    if missing:
        return ConfigError(
            "no-such-database",
            f"{store} has no database {missing[1]!r}",
            where=where,
            fix=f"createdb {missing[1]}, or correct the url",
        )
    if "invalid" in message and "connection" not in message and "URI" in message:
        return ConfigError("bad-url", f"the url of {store} cannot be read", where=where, fix="write postgresql://…")
    if "role" in message and "does not exist" in message:
        return ConfigError("wrong-password", f"{store} refused the user: {text}", where=where, fix="correct the url")
    return UnreachableError(
        "unreachable", f"{store} does not answer: {text}", where=where, fix="start the server, or correct the url"
    )
