"""Puts the guard where a driver makes its cursors, so that a text is seen whoever sends it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Protocol

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row
from sqlalchemy import event as hooks

from provision.stores.postgres.migrate.losses import targets
from provision.stores.postgres.migrate.losses.guard import PostgresLossGuard, Rows


class Watcher(Protocol):
    """Who is told of what goes to the driver, SQLAlchemy or not in between."""

    guard: PostgresLossGuard

    def autocommits(self) -> bool:
        """Whether each statement is its own transaction now."""

    def sends(self, text: str) -> None:
        """A text is about to be sent on the watched connection. Raises what keeps it from that."""

    def sends_elsewhere(self, text: str) -> None:
        """A text is about to be sent on another connection of the same engine."""

    def commit(self, driver: Any) -> None:
        """Commit with psycopg's connection in its place."""


def arm(connection: Any, watcher: Watcher) -> bool:
    """Guard every cursor of a SQLAlchemy connection, and of what else its engine connects.

    False where the driver has no place for that: only what SQLAlchemy sends can be seen then.
    """
    proxy = connection.connection
    mine = proxy.driver_connection

    def checked_out(adapted: Any, record: Any, _proxy: Any) -> None:
        if record.driver_connection is not mine:
            _arm(record.driver_connection, adapted, _members(watcher, elsewhere=True))

    hooks.listen(connection.engine.pool, "checkout", checked_out)
    if isinstance(mine, psycopg.Connection):
        _watch_commits(mine, watcher)
    return _arm(mine, proxy.dbapi_connection, _members(watcher))


def _members(watcher: Watcher, *, elsewhere: bool = False) -> dict[str, Any]:
    sends = watcher.sends_elsewhere if elsewhere else watcher.sends
    names = {"sends": staticmethod(sends), "autocommit": staticmethod(watcher.autocommits)}
    return {"guard": watcher.guard, "elsewhere": elsewhere, **names}


def _watch_commits(driver: Any, watcher: Watcher) -> None:
    """Also of a commit that does not come by way of SQLAlchemy."""
    driver.commit = partial(watcher.commit, driver)


def _arm(driver: Any, adapted: Any, members: dict[str, Any]) -> bool:
    if isinstance(driver, psycopg.Connection):
        _by_factory(driver, _Guarded, psycopg.Cursor, {**members, "own": _of_psycopg(psycopg.Cursor)})
    elif isinstance(driver, psycopg.AsyncConnection):
        _by_factory(driver, _GuardedAsync, psycopg.AsyncCursor, {**members, "own": _of_psycopg(psycopg.AsyncCursor)})
    elif (psycopg2 := sys.modules.get("psycopg2")) is not None and isinstance(driver, psycopg2.extensions.connection):
        plain = psycopg2.extensions.cursor
        _by_factory(driver, _Guarded, plain, {**members, "own": lambda self: plain(self.connection)})
    else:
        return _by_class(adapted, members)
    return True


def _of_psycopg(plain: Any) -> Callable[[Any], Any]:
    return lambda self: plain(self.connection, row_factory=tuple_row)


def _by_factory(driver: Any, mixin: type, plain: type, members: dict[str, Any]) -> None:
    """Where the connection says which class its cursors have."""
    for name in ("cursor_factory", "server_cursor_factory"):
        if hasattr(driver, name):
            made = getattr(driver, name) or plain
            made = getattr(made, "unguarded", made)
            setattr(driver, name, type(made.__name__, (mixin, made), {**members, "unguarded": made}))


def _by_class(adapted: Any, members: dict[str, Any]) -> bool:
    """Where the connection is written in Python: it and its cursors become of a class that is guarded."""
    kind = getattr(type(adapted), "unguarded", type(adapted))

    def cursor(self: Any, *arguments: Any, **named: Any) -> Any:
        made = kind.cursor(self, *arguments, **named)
        own = {"own": lambda _: kind.cursor(self)}
        made.__class__ = type(type(made).__name__, (_Guarded, type(made)), {"__slots__": (), **members, **own})
        return made

    try:
        adapted.__class__ = type(kind.__name__, (kind,), {"__slots__": (), "cursor": cursor, "unguarded": kind})
    except TypeError:
        return False
    return True


class _Mixin:
    __slots__ = ()
    guard: PostgresLossGuard
    elsewhere: bool
    autocommit: Callable[[], bool]
    sends: Callable[[str], None]
    own: Callable[[], Any]  # a cursor of the same connection that nobody changed

    def _text(self, query: Any) -> str:
        """A query as it is sent, whatever it was put together from."""
        if isinstance(query, str):
            return query
        if isinstance(query, bytes):
            return query.decode(errors="replace")
        return str(query.as_string(self) if hasattr(query, "as_string") else sql.as_string(query))


class _Guarded(_Mixin):
    """A cursor whose methods return when the server has answered."""

    __slots__ = ()

    def execute(self, query: Any, *arguments: Any, **named: Any) -> Any:
        self._check(query)
        return super().execute(query, *arguments, **named)  # type: ignore[misc]

    def executemany(self, query: Any, *arguments: Any, **named: Any) -> Any:
        self._check(query)
        return super().executemany(query, *arguments, **named)  # type: ignore[misc]

    def stream(self, query: Any, *arguments: Any, **named: Any) -> Any:
        self._check(query)
        return super().stream(query, *arguments, **named)  # type: ignore[misc]

    def copy(self, statement: Any, *arguments: Any, **named: Any) -> Any:
        self._check(statement)
        return super().copy(statement, *arguments, **named)  # type: ignore[misc]

    def copy_expert(self, query: Any, *arguments: Any, **named: Any) -> Any:
        self._check(query)
        return super().copy_expert(query, *arguments, **named)  # type: ignore[misc]

    def callproc(self, name: str, *arguments: Any, **named: Any) -> Any:
        self._check(f"select {name}()")
        return super().callproc(name, *arguments, **named)  # type: ignore[misc]

    def _check(self, query: Any) -> None:
        text = self._text(query)
        if not self.guard.idle or self.autocommit():
            self.guard.check(text, self._ask, before=self.autocommit(), elsewhere=self.elsewhere)
        self.sends(text)

    def _ask(self, question: str) -> Rows:
        cursor = self.own()
        cursor.execute(question)
        rows: Rows = cursor.fetchall()
        cursor.close()
        return rows


class _GuardedAsync(_Mixin):
    """psycopg's AsyncCursor."""

    __slots__ = ()

    async def execute(self, query: Any, *arguments: Any, **named: Any) -> Any:
        await self._check(query)
        return await super().execute(query, *arguments, **named)  # type: ignore[misc]

    async def executemany(self, query: Any, *arguments: Any, **named: Any) -> Any:
        await self._check(query)
        return await super().executemany(query, *arguments, **named)  # type: ignore[misc]

    async def stream(self, query: Any, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
        await self._check(query)
        async for row in super().stream(query, *arguments, **named):  # type: ignore[misc]
            yield row

    @asynccontextmanager
    async def copy(self, statement: Any, *arguments: Any, **named: Any) -> AsyncIterator[Any]:
        await self._check(statement)
        async with super().copy(statement, *arguments, **named) as copy:  # type: ignore[misc]
            yield copy

    async def _check(self, query: Any) -> None:
        text = self._text(query)
        losses = self.guard.suspects(text, before=self.autocommit(), elsewhere=self.elsewhere)
        if losses:
            cursor = self.own()
            await cursor.execute(targets.question(losses))
            self.guard.judge(losses, await cursor.fetchall())
        self.sends(text)
