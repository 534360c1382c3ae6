"""One ArangoDB server and the database of the url: opens it, sends requests, words its refusals."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

from provision.documents.refused import Refused
from provision.errors import ConfigError, FailedError
from provision.model import StoreOptions
from provision.net.http import ANSWER_SECONDS, CONNECT_SECONDS, Address, Answer, Http, path_of, refused_login, sendable

OLDEST = (3, 11)
EXAMPLE = "http://user:password@host:8529/database"
SYSTEM = "_system"
# Building an index or running AQL takes as long as there are documents; other answers come in milliseconds.
# Who waits for one looks from another connection whether the server is there: this limit is not what ends it.
LONG_SECONDS = 7 * 24 * 3600.0
# Rows in one answer.
PAGE = 1000

# The server's own numbers of what went wrong.
FORBIDDEN = 11
READ_ONLY = 1004
CONFLICT = 1200
NO_DOCUMENT = 1202
NO_COLLECTION = 1203  # or view, or analyzer
DUPLICATE_NAME = 1207
UNIQUE_VIOLATED = 1210
NO_INDEX = 1212
NO_DATABASE = 1228
NO_GRAPH = 1924


class ServerRefused(Refused):
    """Raised for an answer that says no; `number` is the server's errorNum, 0 where it gave none."""

    def __init__(self, answer: Answer) -> None:
        body = answer.body if isinstance(answer.body, dict) else {}
        self.answer, self.number = answer, int(body.get("errorNum", 0))
        said = " ".join(str(body.get("errorMessage") or answer.text).split()) or f"HTTP {answer.status}"
        super().__init__(f"{said} (error {self.number})" if self.number else said, _FIXES.get(self.number, ""))


_FIXES = {
    READ_ONLY: "set the server's mode to default, then run the same command again",
    FORBIDDEN: "give the user that right, then run the same command again",
}


class Server:
    """Requests to one database of a server. Safe to use from several threads."""

    def __init__(self, http: Http, database: str) -> None:
        self.http, self.database = http, database
        self.shown = f"{http.shown}/{database}"
        self.version = ""
        self.absent = False

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        missing: tuple[int, ...] = (),
        seconds: float | None = None,
        database: str | None = None,
        reads: bool = False,
    ) -> Any:
        """The body of a good answer; None for an error number in `missing`. Raises ServerRefused, http.Unanswered.

        What only `reads` may be sent again when its answer is lost, whatever its method.
        """
        place = path_of("_db", database or self.database) + path
        answer = self.http.call(method, place, body, query=query, headers=headers, seconds=seconds, reads=reads)
        if answer.ok:
            return answer.body
        refused = ServerRefused(answer)
        if refused.number in missing:
            return None
        raise refused

    def rows(
        self,
        query: str,
        bind: Mapping[str, object] | None = None,
        *,
        seconds: float | None = None,
        reads: bool = False,
    ) -> list[Any]:
        """Every row that an AQL query answers. Raises ServerRefused, http.Unanswered."""
        body = {"query": query, "bindVars": dict(bind or {}), "batchSize": PAGE}
        answer = self.ask("POST", "/_api/cursor", body, seconds=seconds, reads=reads)
        found = list(answer["result"])
        while answer["hasMore"]:
            answer = self.ask("POST", "/_api/cursor" + path_of(str(answer["id"])))
            found += answer["result"]
        return found

    def make_database(self) -> None:
        """Make the database of the url. Raises ConfigError (not-allowed), FailedError."""
        with self.writing():
            try:
                self.ask("POST", "/_api/database", {"name": self.database}, database=SYSTEM, missing=(DUPLICATE_NAME,))
            except ServerRefused as refused:
                if refused.number != FORBIDDEN:
                    raise
                what = f"there is no database {self.database}, and the user may not make it: {refused}"
                fix = "make it as a user with rights on _system, or name another in the url"
                raise ConfigError("not-allowed", what, where=self.shown, fix=fix) from None
        self.absent = False

    def now(self) -> int:
        """The server's clock in milliseconds since 1970."""
        # The Date header of an answer has whole seconds only, and a proxy may have written it.
        return int(self.rows("RETURN DATE_NOW()")[0])

    def close(self) -> None:
        self.http.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Raises UnreachableError or ConfigError for what goes wrong inside, before anything was changed."""
        try:
            with self.http.reading():
                yield
        except ServerRefused as refused:
            raise _unreadable(refused, self.shown) from None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raises FailedError (server-lost, server-refused) for what goes wrong inside."""
        try:
            with self.http.writing():
                yield
        except ServerRefused as refused:
            fix = refused.fix or "see to the cause, run again"
            raise FailedError("server-refused", f"the server refused: {refused}", where=self.shown, fix=fix) from None


def connect(url: str, options: StoreOptions) -> Server:
    """A server that answers, is recent enough and takes writes; its database may be `absent`.

    Raises UnreachableError (unreachable), or ConfigError (bad-url, bad-value, wrong-password, not-allowed,
    no-such-database, server-too-old, read-only). No message holds the password.
    """
    address, database = Address.of(url, EXAMPLE), database_of(url)
    base = address.base.removesuffix(urlsplit(address.base).path)
    server = Server(Http(base, _login(address, options), options, seconds=ANSWER_SECONDS), database)
    try:
        with server.reading():
            _look(server)
    except BaseException:
        server.close()
        raise
    return server


def database_of(url: str) -> str:
    """The name of the database in a url. Raises ConfigError (bad-url)."""
    path = urlsplit(Address.of(url, EXAMPLE).base).path.removeprefix("/")
    if not path or "/" in path:
        what = "the url names no database" if not path else "the url goes on behind the database"
        raise ConfigError("bad-url", what, fix=f"write {EXAMPLE}, special characters percent-encoded (@ as %40)")
    return unquote(path)


def _login(address: Address, options: StoreOptions) -> Mapping[str, str]:
    if options.extra.get("token"):
        return {"authorization": f"bearer {sendable(str(options.extra['token']))}"}
    if not address.user:
        return {}
    pair = f"{address.user}:{address.password}".encode()
    return {"authorization": f"basic {base64.b64encode(pair).decode()}"}


def _look(server: Server) -> None:
    # A port that takes connections and never answers is given up soon.
    about = server.ask("GET", "/_api/version", missing=(NO_DATABASE,), seconds=CONNECT_SECONDS)
    if about is None:
        server.absent = True
        about = server.ask("GET", "/_api/version", database=SYSTEM, seconds=CONNECT_SECONDS)
    if not isinstance(about, dict) or about.get("server") != "arango":
        fix = f"write {EXAMPLE} with the host and port of an ArangoDB server"
        raise ConfigError("bad-url", "what answers there is no ArangoDB", where=server.shown, fix=fix)
    server.version = str(about["version"])
    if _numbers(server.version) < OLDEST:
        least = ".".join(str(part) for part in OLDEST)
        what = f"ArangoDB {least} or later is needed, the server is {server.version}"
        raise ConfigError("server-too-old", what, where=server.shown, fix="upgrade the server")
    mode = server.ask("GET", "/_admin/server/mode", database=SYSTEM if server.absent else None, missing=(FORBIDDEN,))
    if mode is not None and mode.get("mode") == "readonly":
        fix = "set the server's mode to default (PUT /_admin/server/mode), or name another server"
        raise ConfigError("read-only", "the server is in read-only mode", where=server.shown, fix=fix)


def _numbers(version: str) -> tuple[int, ...]:
    """`3.12.10-rc.1` → (3, 12, 10)."""
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())


def _unreadable(refused: ServerRefused, shown: str) -> ConfigError:
    if refused.number == READ_ONLY:
        return ConfigError("read-only", f"the server refused: {refused}", where=shown, fix=_FIXES[READ_ONLY])
    login = refused_login(refused.answer, shown, str(refused), "correct user and password in the url, or the token")
    return login or ConfigError("server-refused", f"the server refused: {refused}", where=shown, fix="see to the cause")
