"""Puts the guard where a driver makes its cursors, so that a text is seen whoever sends it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import tuple_row
from sqlalchemy import event as hooks

from provision.stores.postgres import loss_targets
from provision.stores.postgres.guard import Guard, Rows


def arm(connection: Any, guard: Guard, autocommit: Callable[[], bool]) -> bool:
    """Guard every cursor of a SQLAlchemy connection, and of what else its engine connects.

    False where the driver has no place for that: only what SQLAlchemy sends can be seen then.
    """

    def checked_out(_connection: Any, record: Any, _proxy: Any) -> None:
        _arm(record.driver_connection, guard, autocommit)

    hooks.listen(connection.engine.pool, "checkout", checked_out)
    return _arm(connection.connection.driver_connection, guard, autocommit)


def _arm(driver: Any, guard: Guard, autocommit: Callable[[], bool]) -> bool:
    mixin: type[_Mixin]
    names: tuple[str, ...]
    base: Any
    if isinstance(driver, psycopg.Connection):
        mixin, names, base = _Guarded, ("cursor_factory", "server_cursor_factory"), psycopg.Cursor
    elif isinstance(driver, psycopg.AsyncConnection):
        mixin, names, base = _GuardedAsync, ("cursor_factory", "server_cursor_factory"), psycopg.AsyncCursor
    elif (psycopg2 := sys.modules.get("psycopg2")) is not None and isinstance(driver, psycopg2.extensions.connection):
        mixin, names, base = _Guarded, ("cursor_factory",), psycopg2.extensions.cursor
    else:
        return False
    for name in names:
        made = getattr(driver, name) or base
        bases = (mixin, getattr(made, "unguarded", made))
        members = {"guard": guard, "autocommit": staticmethod(autocommit), "unguarded": bases[1], "plain": base}
        setattr(driver, name, type(made.__name__, bases, members))
    return True


class _Mixin:
    guard: Guard
    autocommit: Callable[[], bool]
    plain: Any  # the class of cursors that nobody changed
    connection: Any

    def _text(self, query: Any) -> str:
        """A query as it is sent, whatever it was put together from."""
        if isinstance(query, str):
            return query
        if isinstance(query, bytes):
            return query.decode(errors="replace")
        return str(query.as_string(self) if hasattr(query, "as_string") else sql.as_string(query, self.connection))

    def _own_cursor(self) -> Any:
        options = {"row_factory": tuple_row} if self.plain.__module__.startswith("psycopg.") else {}
        return self.plain(self.connection, **options)


class _Guarded(_Mixin):
    """psycopg's and psycopg2's cursor."""

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
        self.guard.check(self._text(query), self._ask, before=self.autocommit())

    def _ask(self, question: str) -> Rows:
        cursor = self._own_cursor()
        cursor.execute(question)
        rows: Rows = cursor.fetchall()
        cursor.close()
        return rows


class _GuardedAsync(_Mixin):
    """psycopg's AsyncCursor."""

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
        losses = self.guard.suspects(self._text(query), before=self.autocommit())
        if losses:
            cursor = self._own_cursor()
            await cursor.execute(loss_targets.question(losses))
            self.guard.judge(losses, await cursor.fetchall())
