"""Opens psycopg connections and says in our words why one cannot be had."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from psycopg import pq
from psycopg.abc import Params, Query

from provision.errors import ConfigError, FailedError, ProvisionError, UnreachableError
from provision.model import StoreOptions
from provision.net import keepalive
from provision.net.causes import cause
from provision.outlet import waits
from provision.threads import watched

OLDEST = 13
# Beginnings of SQLSTATE: the connection broke, and the server ends the session.
GONE = ("08", "57P")
# Seconds without an answer before a server is looked at, and that such a look may take.
LOOK_SECONDS, ANSWER_SECONDS = 10.0, 5
# Seconds until who is in the way of a look at a table of others is asked; between two such questions, at most.
FIRST_WORD, LAST_WORD = 0.5, 10.0
# A peer that takes no packet any more is noticed by the kernel: idle, or with something unacknowledged on its way.
KEPT_ALIVE: Mapping[str, Any] = {
    "keepalives": 1,
    "keepalives_idle": keepalive.IDLE,
    "keepalives_interval": keepalive.INTERVAL,
    "keepalives_count": keepalive.COUNT,
    "tcp_user_timeout": keepalive.UNACKNOWLEDGED * 1000,
}
TLS = {"ca_cert": "sslrootcert", "client_cert": "sslcert", "client_key": "sslkey"}
VERIFY = {True: ("sslmode", "verify-full"), False: ("sslmode", "require")}


class Connection(psycopg.Connection[Any]):
    """A connection that raises UnreachableError when its server is gone; the server's other refusals stay psycopg's.

    A statement may take hours. So who waits for its answer looks from another connection, again and again, whether the
    server still answers anybody.
    """

    store = ""
    url = ""
    blockers: Callable[[Connection], str] | None = None
    """Of a session that reads tables of others, see `reading`: whom it waits for, in words. A lock that it cannot have
    in its `lock_timeout` is FailedError (table-locked)."""
    suspects: Callable[[Connection], str] | None = None
    """Who may have had the lock, in words, where a statement gave up before that was looked at."""
    in_the_way = ""  # whom its statement waited for, as it was seen last
    _place = ""  # once it was closed because its server is silent: libpq says nothing of it then

    @property
    def place(self) -> str:
        """Where its server is, for people."""
        return self._place or place(self.info.dsn)

    def wait(self, gen: Any, *given: Any, **named: Any) -> Any:
        return super().wait(self._patiently(gen), *given, **named)

    def _patiently(self, gen: Any) -> Generator[Any, Any, Any]:
        """What `gen` asks for and is told, as psycopg drives it: nothing was ready is told ten times a second."""
        since, told = time.monotonic(), FIRST_WORD
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if ready:
                    since, told = time.monotonic(), FIRST_WORD
                elif time.monotonic() - since > LOOK_SECONDS and not watched():
                    self._look()
                    since = time.monotonic()
                elif self.blockers is not None and time.monotonic() - since > told:
                    told = min(told * 2, told + LAST_WORD)
                    self._look_around()
                wanted = gen.send(ready)
        except StopIteration as ended:
            return ended.value

    def _look_around(self) -> None:
        """See whom the statement at work waits for, and say it where that changed."""
        found = self.blockers(self) if self.blockers is not None else ""
        if found and found.partition(" in a transaction")[0] != self.in_the_way.partition(" in a transaction")[0]:
            waits.say(f"{self.store} waits for {found}")
        self.in_the_way = found or self.in_the_way

    def _look(self) -> None:
        """Raises psycopg.OperationalError, and closes this connection, where another one gets no answer either."""
        began = time.monotonic()
        try:
            psycopg.connect(self.url, connect_timeout=ANSWER_SECONDS).close()
        except psycopg.Error:
            if time.monotonic() - began >= ANSWER_SECONDS - 1:  # else it was answered, if only with a refusal
                self._place = self.place
                self.close()
                raise psycopg.OperationalError(
                    "timed out: neither this connection nor another one is answered"
                ) from None

    def execute(
        self, query: Query, params: Params | None = None, *, prepare: bool | None = None, binary: bool = False
    ) -> psycopg.Cursor[Any]:
        try:
            return super().execute(cast(Any, query), params, prepare=prepare, binary=binary)
        except psycopg.errors.LockNotAvailable:
            if self.blockers is None:
                raise
            raise self.table_locked() from None
        except psycopg.Error as error:
            raise self._explained(error) from None

    def table_locked(self) -> FailedError:
        """The error for a lock that was waited for in vain, with who has it as far as that was seen."""
        who = self.in_the_way or (self.suspects(self) if self.suspects is not None else "") or "another session"
        self.in_the_way = ""
        fix = "let that transaction end, or end it (select pg_terminate_backend(PID)); then run the same command again"
        return FailedError("table-locked", f"a table stayed locked by {who}", where=self.store, fix=fix)

    def ask(self, statement: bytes, values: Iterable[object]) -> list[str]:
        """The one row of a question with `$1` parameters, as text: a cursor would cost three times as much."""
        encoding = self.info.encoding
        result = self.pgconn.exec_params(statement, [str(value).encode(encoding) for value in values])
        if result.status != pq.ExecStatus.TUPLES_OK:
            raise self._explained(psycopg.errors.error_from_result(result, encoding))
        return [(result.get_value(0, column) or b"").decode(encoding) for column in range(result.nfields)]

    @contextmanager
    def transaction(self, savepoint_name: str | None = None, force_rollback: bool = False) -> Iterator[Any]:
        try:
            with super().transaction(savepoint_name, force_rollback) as transaction:
                yield transaction
        except psycopg.Error as error:
            raise self._explained(error) from None

    def _explained(self, error: psycopg.Error) -> Exception:
        gone = (
            self.closed
            or broke(error)
            or isinstance(error, psycopg.errors.AdminShutdown | psycopg.errors.CrashShutdown)
        )
        return _explained(str(error), self.store, self.place) if gone else error


def broke(error: BaseException) -> bool:
    """Whether it is psycopg's word, and none of the server's, that the connection broke.

    That comes at times before the connection knows that it is closed, and as an error of no class where libpq saw it
    while it read the answer.
    """
    if not isinstance(error, psycopg.Error) or error.sqlstate:
        return False
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) or type(error) is psycopg.DatabaseError


def connect(url: str, store: str, *, timeout: int = 10) -> Connection:
    """An autocommit connection. Raises UnreachableError, or ConfigError (wrong-password, no-such-database, bad-url)."""
    try:
        made = Connection.connect(
            plain(url),
            autocommit=True,
            application_name="provision",
            prepare_threshold=None,
            **{**KEPT_ALIVE, "connect_timeout": timeout, **_own_limits(url)},
        )
    except psycopg.ProgrammingError:
        raise bad_url(store) from None  # without libpq's words: they quote a part of the url, maybe of the password
    except psycopg.Error as error:
        raise _explained(str(error), store, place(url)) from None
    made.store, made.url = store, plain(url)
    _read_in_one_form(made)
    return made


def _read_in_one_form(connection: Connection) -> None:
    """Undo what a role or database says of how moments are written, where psycopg reads no other form.

    The order of day and month stays: statements of checks and backfills may be written in it.
    """
    for name, form in (("DateStyle", "ISO"), ("IntervalStyle", "postgres")):
        if (connection.info.parameter_status(name) or form).partition(",")[0] != form:
            connection.execute(f"set {name} = {form}".encode())


def _own_limits(url: str) -> dict[str, Any]:
    """The time limits of the network that a url sets itself: what they say goes."""
    given = psycopg.conninfo.conninfo_to_dict(plain(url))
    return {name: value for name, value in given.items() if name in (*KEPT_ALIVE, "connect_timeout")}


def open_store(options: StoreOptions, url: str) -> Connection:
    """A connection in the role that provision.toml names. Raises as `connect`."""
    connection = connect(url, options.name)
    if role := str(options.extra.get("role", "")):
        connection.execute(set_role(role).encode())
    return connection


def set_role(role: str) -> str:
    """The statement that takes on the role of provision.toml."""
    return 'set role "{}"'.format(role.replace('"', '""'))


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


def refuse_read_only(connection: Connection) -> None:
    """Raises ConfigError (read-only-replica, read-only) where this session can write nothing."""
    status = connection.info.parameter_status
    replica: object = status("in_hot_standby")
    read_only = status("default_transaction_read_only")
    if replica is None or read_only is None:  # PostgreSQL 13 does not say it by itself
        asked = "select pg_is_in_recovery(), current_setting('default_transaction_read_only')"
        replica, read_only = connection.execute(asked).fetchone() or (False, "off")
    where = place(connection.info.dsn)
    if replica in (True, "on"):
        what = f"{connection.store} is a replica, which takes no writes"
        raise ConfigError("read-only-replica", what, where=where, fix="name the primary in the url")
    if read_only == "on":
        user, database = connection.info.user, connection.info.dbname
        raise ConfigError(
            "read-only",
            f"{connection.store} takes no writes from {user}: default_transaction_read_only is on",
            where=where,
            fix="name the primary in the url; if it is that, in psql: SET default_transaction_read_only = off;"
            f" ALTER ROLE {user} RESET default_transaction_read_only;"
            f" ALTER DATABASE {database} RESET default_transaction_read_only",
        )


def bad_url(store: str) -> ConfigError:
    """The error for a url that libpq cannot read."""
    return ConfigError(
        "bad-url",
        f"the url of {store} cannot be read",
        where=store,
        fix="write postgresql://user:password@host:5432/database, special characters percent-encoded (@ as %40)",
    )


def _explained(message: str, store: str, where: str) -> ProvisionError:
    text = cause(message)
    if "no password supplied" in message:
        what = f"{store} asks for a password and the url has none"
        return ConfigError("wrong-password", what, where=where, fix="correct user and password in the url")
    if "password authentication failed" in message:
        return ConfigError(
            "wrong-password",
            f"{store} refused the user or the password",
            where=where,
            fix="correct user and password in the url",
        )
    missing = re.search(r'database "([^"]*)" does not exist', message)
    if missing:
        return ConfigError(
            "no-such-database",
            f"{store} has no database {missing[1]!r}",
            where=where,
            fix=f"createdb {missing[1]}, or correct the url",
        )
    # A port that is none: what follows an unescaped / in a password is taken for one.
    if "invalid integer value" in message or "Servname not supported" in message or "invalid port" in message:
        return bad_url(store)
    if "role" in message and "does not exist" in message:
        return ConfigError("wrong-password", f"{store} refused the user: {text}", where=where, fix="correct the url")
    return UnreachableError(
        "unreachable", f"{store} does not answer: {text}", where=where, fix="start the server, or correct the url"
    )
