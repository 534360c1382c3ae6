"""chDB clients: a fresh one per request (0.2 ms), so that nothing of a request outlives it; kept ones where a session
has settings, a database or temporary tables of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from provision.embedded.clickhouse_server.execution import is_read_only, literal
from provision.embedded.clickhouse_server.faults import EngineFault, QueryFault
from provision.embedded.clickhouse_server.request import Request

Open = Callable[[], Any]


@dataclass
class ClientSession:
    """What one session_id keeps between requests."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    client: Any = None
    """Made by the first statement that has state to keep."""
    settings: dict[str, str] = field(default_factory=dict)
    database: str = "default"
    lost: str = ""
    """Why the state is gone."""
    expires: float = 0.0


class Clients:
    """Gives each request its client."""

    def __init__(self, open_client: Open, clock: Callable[[], float] = time.monotonic) -> None:
        self._open = open_client
        self._clock = clock
        self._sessions: dict[str, ClientSession] = {}
        self._lock = threading.Lock()

    @contextmanager
    def client(self, request: Request) -> Iterator[Any]:
        """Lend the client for one request, prepared. Raises QueryFault."""
        if not request.session:
            with self._fresh(request) as client:
                yield client
            return
        with self._session(request) as session:
            statement = request.statement
            if session.client is None and not statement.sets_session and not statement.makes_temporary:
                with self._fresh(request) as client:
                    yield client
            else:
                with self._session_client(session, request) as client:
                    yield client

    def sweep(self) -> None:
        """Forget sessions whose time is over."""
        with self._lock:
            now = self._clock()
            for name, session in list(self._sessions.items()):
                if session.expires < now and session.lock.acquire(blocking=False):
                    del self._sessions[name]
                    _close(session)
                    session.lock.release()

    @contextmanager
    def _session(self, request: Request) -> Iterator[ClientSession]:
        with self._lock:
            session = self._sessions.get(request.session)
            if session is None and request.session_must_exist:
                raise QueryFault(372, "SESSION_NOT_FOUND", "Session not found")
            session = session or self._sessions.setdefault(request.session, ClientSession())
            if not session.lock.acquire(blocking=False):
                raise QueryFault(
                    373, "SESSION_IS_LOCKED", f"Session {request.session} is locked by a concurrent client"
                )
        try:
            if session.lost:
                raise QueryFault(372, "SESSION_NOT_FOUND", f"Session not found: its state was lost, {session.lost}")
            yield session
        finally:
            session.expires = self._clock() + request.session_timeout_s
            with self._lock:
                if request.close_session:
                    del self._sessions[request.session]
                    _close(session)
                session.lock.release()

    @contextmanager
    def _fresh(self, request: Request) -> Iterator[Any]:
        client = self._open()
        try:
            _apply(client, request.settings)
            if request.database:
                _use(client, request.database)
            yield client
        finally:
            client.close()

    @contextmanager
    def _session_client(self, session: ClientSession, request: Request) -> Iterator[Any]:
        """Lend the session's own client; settings and database of the request are undone afterwards."""
        if session.client is None:
            session.client = self._open()
            session.settings = _changed(session.client)
        client = session.client
        if request.statement.sets_session:
            yield client
            session.settings, session.database = _changed(client), _database(client)
            return
        settings = dict(request.settings)
        if settings.pop("readonly", "0") != "0" and not is_read_only(client, request):
            # The setting itself would stay: chDB lets nobody take it back.
            raise QueryFault(164, "READONLY", "Cannot execute query in readonly mode")
        try:
            _apply(client, settings)
            if request.database:
                _use(client, request.database)
            yield client
        finally:
            _undo(session, settings)


def _apply(client: Any, settings: dict[str, str]) -> None:
    """Set all at once; `readonly` last, since nothing can be set after it."""
    if not settings:
        return
    order = sorted(settings, key=lambda name: name == "readonly")
    _command(client, "SET " + ", ".join(f"{name} = {literal(settings[name])}" for name in order))


def _use(client: Any, database: str) -> None:
    _command(client, "USE `" + database.replace("\\", "\\\\").replace("`", "\\`") + "`")


def _undo(session: ClientSession, settings: dict[str, str]) -> None:
    try:
        for name in settings:
            value = literal(session.settings[name]) if name in session.settings else "DEFAULT"
            _command(session.client, f"SET {name} = {value}")
        _use(session.client, session.database)
    except QueryFault as fault:
        session.lost = f"a setting of a request could not be undone: {fault}"
        _close(session)


def _changed(client: Any) -> dict[str, str]:
    rows = client.query("SELECT name, value FROM system.settings WHERE changed", "TabSeparatedRaw").bytes() or b""
    pairs = (line.partition("\t") for line in rows.decode("utf-8", "surrogateescape").splitlines())
    return {name: value for name, _, value in pairs if name != "database"}


def _database(client: Any) -> str:
    rows: bytes = client.query("SELECT currentDatabase()", "TabSeparatedRaw").bytes()
    return rows.decode("utf-8", "surrogateescape").rstrip("\n")


def _command(client: Any, text: str) -> None:
    try:
        client.query(text, "Null")
    except RuntimeError as error:
        raise EngineFault(error) from None


def _close(session: ClientSession) -> None:
    if session.client is not None:
        session.client.close()
        session.client = None
