"""A clickhouse-connect client, and what its errors mean in our words."""

from __future__ import annotations

import copy
import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from provision.errors import ConfigError, FailedError, ProvisionError, UnreachableError
from provision.net.causes import cause, placed
from provision.stores.clickhouse.plain import NotPlain, Rows, opened

OLDEST = (22, 8)
CONNECT_SECONDS = 10
# A statement may take hours with nothing to be read until it ends. Who waits for one looks from another connection
# whether the server is there (`net/listening.py`, in lanes `core/silence.py`): this limit is not what ends it.
ANSWER_SECONDS = 7 * 24 * 3600
TLS = {"ca_cert": "ca_cert", "client_cert": "client_cert", "client_key": "client_cert_key"}
VERIFY = {True: ("verify", "true"), False: ("verify", "false")}
UNKNOWN_IDENTIFIER, UNKNOWN_TABLE, UNKNOWN_DATABASE, AUTHENTICATION_FAILED = 47, 60, 81, 516
_LISTED = 5  # of the tokens that the parser would have taken
_SECURE = ("clickhouses", "https")
_SCHEMES = ("clickhouse", "http", *_SECURE)


class ServerRefused(FailedError):
    """Raised when the server refuses a statement; `number` is ClickHouse's own error code."""

    def __init__(self, number: int, what: str) -> None:
        super().__init__("statement-refused", what)
        self.number = number


class Client:
    """One server and the database of the url. Safe to use from several threads: there is no session.

    The first questions are asked without the driver, until one has no plain answer or something else is wanted.
    """

    def __init__(self, url: str, store: str) -> None:
        self.store = store
        self.database, self.place = _read(url, store)
        self._url, self._lock = url, threading.Lock()
        self._made: Any = None
        self._plain = opened(url)
        self._carried: Mapping[str, str] = {}
        self.version = self._plain_version() or str(self._client.server_version)

    @property
    def _client(self) -> Any:
        """The driver's client, connected when it is first needed; from then on it alone asks."""
        with self._lock:
            if self._made is None:
                self._leave_plain()
                self._made = _connected(self._url, self.store, self.place)
            return self._made

    def carrying(self, settings: Mapping[str, str]) -> Client:
        """This client with settings that go with each of its commands, and with no question."""
        if not settings:
            return self
        _ = self._client  # one connection for both
        other = copy.copy(self)
        other._carried = settings
        return other

    def question(self, sql: str, parameters: Mapping[str, object] | None = None) -> Rows:
        """Names and rows of a query of texts, whole numbers and moments. Raises Refused and UnreachableError."""
        if self._plain is not None:
            try:
                with placed(self.place):
                    return self._plain.ask(sql, parameters or {})
            except NotPlain:
                self._leave_plain()
        found = self.ask(lambda: self._query(sql, parameters))
        return list(found.column_names), [tuple(row) for row in found.result_rows]

    def records(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The rows of such a query by the names of their columns. Raises Refused and UnreachableError."""
        names, rows = self.question(sql, parameters)
        return [dict(zip(names, row, strict=True)) for row in rows]

    def _plain_version(self) -> str:
        """The server's version where it says one at once that is recent enough; else nothing."""
        if self._plain is None:
            return ""
        try:
            with placed(self.place):
                version = str(self._plain.ask("SELECT version()", {})[1][0][0])
            return version if _numbers(version) >= OLDEST else ""
        except (NotPlain, IndexError, ValueError):
            return ""

    def _leave_plain(self) -> None:
        plain, self._plain = self._plain, None
        if plain is not None:
            plain.close()

    def command(self, sql: str, *, database: str | None = None, **settings: str) -> None:
        """Run one statement. Raises Refused and UnreachableError."""
        carried = self._settings(database, {**self._carried, **settings})
        self.ask(lambda: self._client.command(sql, settings=carried))

    def insert(self, sql: str, parameters: Mapping[str, object]) -> None:
        """Run one INSERT … SELECT with server-side parameters, waiting until it is stored."""
        # One row needs one thread; starting more costs as much as the row.
        settings = self._settings(None, {"async_insert": "0", "max_threads": "1"})
        self.ask(lambda: self._client.command(sql, parameters=dict(parameters), settings=settings))

    def insert_rows(self, table: str, rows: Sequence[Mapping[str, object]]) -> None:
        """Add rows of the same columns, waiting until they are stored: cheaper than an INSERT … SELECT."""
        # Not the driver's raw_insert: that sends again after a lost answer, and the rows would be there twice.
        sql = f"INSERT INTO {table} ({', '.join(rows[0])}) FORMAT JSONEachRow"
        body = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
        settings = self._settings(None, {"async_insert": "0", "max_threads": "1"})
        self.ask(lambda: self._client.command(sql, data=body, settings=settings))

    def rows(
        self, sql: str, parameters: Mapping[str, object] | None = None, *, database: str | None = None
    ) -> list[tuple[Any, ...]]:
        """The rows of a query. Raises Refused and UnreachableError."""
        found = self.ask(lambda: list(self._query(sql, parameters, database).result_rows))
        return [tuple(row) for row in found]

    def _query(self, sql: str, parameters: Mapping[str, object] | None, database: str | None = None) -> Any:
        return self._client.query(sql, parameters=dict(parameters or {}), settings=self._settings(database, {}))

    def driver(self) -> Any:
        """The clickhouse-connect client itself, for clickhouse-migrations, in the database of the url."""
        client = self._client
        client.database = self.database
        return client

    def close(self) -> None:
        self._leave_plain()
        if self._made is not None:
            self._made.close()

    def _settings(self, database: str | None, settings: Mapping[str, str]) -> dict[str, str]:
        # The database goes with each request: it may not exist when the client connects.
        return {**settings, "database": database or self.database}

    def ask(self, question: Callable[[], Any]) -> Any:
        """The answer of a call to the driver. Raises Refused and UnreachableError."""
        _ = self._client  # an error of the connection is not one of the call
        from clickhouse_connect.driver.exceptions import ClickHouseError, OperationalError

        try:
            with placed(self.place):
                return question()
        except OperationalError as error:
            raise UnreachableError(
                "unreachable",
                f"{self.store} does not answer: {cause(_short(error, None))}",
                where=self.place,
                fix="start the server, or correct the url",
            ) from None
        except ClickHouseError as error:
            raise ServerRefused(_code(error), _short(error)) from None


def read_only(client: Client) -> str:
    """Of what kind the sessions of this login are read-only, as the server numbers it; empty where they are not."""
    # In a database that is there: that of the url may not be made yet.
    rows = client.rows("SELECT value FROM system.settings WHERE name = 'readonly'", database="default")
    return str(rows[0][0]) if rows and str(rows[0][0]) != "0" else ""


def refuse_read_only(client: Client) -> None:
    """Raises ConfigError (read-only) where this login can write nothing."""
    if kind := read_only(client):
        what = f"{client.store} takes no writes from this user: its sessions are read-only (readonly = {kind})"
        fix = "give the user a profile with readonly = 0, or name another user in the url"
        raise ConfigError("read-only", what, where=client.place, fix=fix)


def _read(url: str, store: str) -> tuple[str, str]:
    """The database of a url, and the url's place for people. Raises ConfigError (bad-url)."""
    try:
        parts = urlsplit(url)
        port = parts.port or _port(parts.scheme)
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise _bad_url(store)
    database = unquote(parts.path.strip("/")) or "default"
    return database, f"{parts.hostname}:{port}/{database}"


def _bad_url(store: str) -> ConfigError:
    return ConfigError(
        "bad-url",
        f"the url of {store} cannot be read",
        where=store,
        fix="write clickhouse://user:password@host:8123/database, special characters percent-encoded (@ as %40)",
    )


def _pool(dsn: SplitResult) -> Any:
    """The pool that the driver would make of its options, guarded."""
    from clickhouse_connect.driver.httputil import check_env_proxy, get_pool_manager

    from provision.net.guard import guarded

    given = {name: value[-1] for name, value in parse_qs(dsn.query).items()}
    proxy = f"{dsn.scheme}_proxy"
    options: dict[str, Any] = {
        proxy: given.get(proxy) or check_env_proxy(dsn.scheme, str(dsn.hostname), dsn.port or _port(dsn.scheme))
    }
    if dsn.scheme == "https":
        options["verify"] = given.get("verify", "true").lower() not in ("false", "0", "f", "n", "no")
        options |= {name: given[name] for name in TLS.values() if name in given}
        if name := given.get("server_host_name"):
            options |= {"server_hostname": name, **({"assert_hostname": name} if options["verify"] else {})}
    pool = get_pool_manager(**options)
    guarded(pool)
    return pool


def _greet(pool: Any, dsn: SplitResult) -> None:
    """See that something answers there: the driver waits for its first answer as long as for a statement's."""
    port = dsn.port or _port(dsn.scheme)
    host = f"[{dsn.hostname}]" if ":" in str(dsn.hostname) else dsn.hostname
    url = f"{dsn.scheme}://{host}:{port}/ping"
    pool.request("GET", url, timeout=CONNECT_SECONDS, retries=False, redirect=False)


def _connected(url: str, store: str, place: str) -> Any:
    import logging

    import clickhouse_connect
    from clickhouse_migrations.connection import CLICKHOUSE_CONNECT, normalize_db_url

    logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)
    dsn = urlsplit(normalize_db_url(url, CLICKHOUSE_CONNECT))._replace(path="")
    pool = _pool(dsn)
    try:
        with placed(place):
            _greet(pool, dsn)
        client = clickhouse_connect.get_client(
            dsn=dsn.geturl(),
            interface=dsn.scheme,
            database="",
            autogenerate_session_id=False,
            compress=False,  # answers are small
            connect_timeout=CONNECT_SECONDS,
            send_receive_timeout=ANSWER_SECONDS,
            pool_mgr=pool,
        )
    except TypeError:  # an option behind the question mark that the driver does not know
        raise _bad_url(store) from None
    except ProvisionError:
        raise
    except Exception as error:  # the driver raises its own errors, urllib3's and ValueError here
        raise _explained(error, store, place) from None
    if _numbers(str(client.server_version)) < OLDEST:
        raise ConfigError(
            "server-too-old",
            f"{store} runs ClickHouse {client.server_version}; {OLDEST[0]}.{OLDEST[1]} or newer is needed",
            where=place,
            fix="upgrade the server",
        )
    return client


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def _explained(error: Exception, store: str, place: str) -> ProvisionError:
    if _code(error) in (AUTHENTICATION_FAILED, 192, 193, 194):
        return ConfigError(
            "wrong-password",
            f"{store} refused the user or the password",
            where=place,
            fix="correct user and password in the url",
        )
    return UnreachableError(
        "unreachable",
        f"{store} does not answer: {cause(_short(error, None))}",
        where=place,
        fix="start the server, or correct the url",
    )


def _code(error: Exception) -> int:
    code = getattr(error, "code", None)
    return code if isinstance(code, int) else 0


def _short(error: Exception, most: int | None = 300) -> str:
    """The server's own sentence, without stack trace and transport; `most` characters of what is not the server's.

    Those who look for a cause take all of it: the transport names it at the end, behind urls of any length.
    """
    text = " ".join(str(error).split("Stack trace")[0].split())
    head = text.find("DB::Exception: ")
    if head < 0:
        return text[:most]
    said = re.sub(r" \((?:version [^()]*(?:\([^()]*\))?|for url \S*)\)", "", text[head + len("DB::Exception: ") :])
    return re.sub(r"(?<=Expected one of: ).+?(?=\. \()", _first_few, said)


def _first_few(listed: re.Match[str]) -> str:
    """The parser names every token it knows, three thousand characters of them."""
    names = listed[0].split(", ")
    more = len(names) - _LISTED
    return listed[0] if more < 2 else f"{', '.join(names[:_LISTED])} or {more} others"


def _port(scheme: str) -> int:
    return 8443 if scheme in _SECURE else 8123
