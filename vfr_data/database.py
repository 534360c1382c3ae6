"""Connections to PostgreSQL: a pool whose errors say what to do, and a tenant that ends with its transaction."""

import asyncio
import select
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from vfr_data.errors import BadInput, OutcomeUnknown, PoolExhausted, StorageError

Connection = psycopg.AsyncConnection[Any]
# Classes of errors after which nobody answers any more.
_GONE = ("08", "57")


class Database:
    """A pool of at most `size` connections. A statement may take `statement_seconds`, a free connection `wait_seconds`.

    Use it as `async with Database(url) as database`, in one event loop. Opening connects in the background: a server
    that is down is an error of the first transaction. Transactions that are under way when it is closed come to their
    end, those that wait for a connection are refused.
    """

    def __init__(self, url: str, *, size: int = 20, wait_seconds: float = 5.0, statement_seconds: float = 30.0) -> None:
        self._url, self._size, self._wait, self._busy = url, size, wait_seconds, 0
        try:
            conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise BadInput(f"this is no url of PostgreSQL: {_first_line(error)}; give postgresql://…") from error
        self._loop: asyncio.AbstractEventLoop | None = None
        self._statement = f"{round(statement_seconds * 1000)}ms"
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=1,
            max_size=size,
            timeout=wait_seconds,
            max_idle=10,
            open=False,
            configure=self._configure,
            check=_check,
        )

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        await self._pool.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop = None
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self, tenant: str | None = None) -> AsyncIterator[Connection]:
        """A connection in a transaction, committed at the end; rows with row security are those of `tenant`.

        The tenant is set for the transaction alone, so that a connection never goes back to the pool with it.
        Raises PoolExhausted when no connection comes free, BadInput for what breaks a check or a key, StorageError
        when the server goes away, takes too long, or does not allow it, and OutcomeUnknown when it does so at the end.
        """
        if self._loop is not asyncio.get_running_loop():
            raise BadInput(
                "this Database is open in no event loop, or in another; use `async with Database(…)` in each"
            )
        ending = False
        try:
            async with self._pool.connection() as connection, self._counted():
                if tenant is not None:
                    await connection.execute("SELECT set_config('app.tenant', %s, true)", [tenant])
                yield connection
                ending = True
        except PoolTimeout as error:
            raise PoolExhausted(await self._exhausted()) from error
        except PoolClosed as error:
            raise StorageError("this Database was closed meanwhile; nothing is stored. Open another") from error
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise BadInput(
                f"PostgreSQL refuses it: {_first_line(error)}. Nothing of it is stored; correct it"
            ) from error
        except psycopg.ProgrammingError as error:
            fix = "give the role the right, or apply the shipped revisions (provision up)"
            raise StorageError(f"PostgreSQL: {_first_line(error)}. Nothing is stored; {fix}") from error
        except psycopg.Error as error:
            if ending and (error.sqlstate or "08")[:2] in _GONE:
                what = f"PostgreSQL: {_first_line(error)}, while it was committing"
                raise OutcomeUnknown(
                    f"{what}. All of it is stored, or nothing; look before it is sent again"
                ) from error
            message = f"PostgreSQL: {_first_line(error)}. Nothing of this transaction is stored; send it again"
            raise StorageError(message) from error

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def _exhausted(self) -> str:
        within = f"no connection to PostgreSQL within {self._wait:g} s"
        if self._busy >= self._size:
            return f"{within}: all {self._size} are in use; make transactions shorter, or give Database a larger size"
        try:  # the pool keeps to itself why it could not connect
            await (await psycopg.AsyncConnection.connect(self._url, connect_timeout=2)).close()
        except psycopg.Error as error:
            return f"{within}: {_first_line(error)}; look at the server, and at the url"
        return f"{within}, and one now: the server was away or slow; try again"

    async def _configure(self, connection: Connection) -> None:
        await connection.execute("SELECT set_config('statement_timeout', %s, false)", [self._statement])
        await connection.commit()


async def _check(connection: Connection) -> None:
    """Raises psycopg.Error where the server has ended it: it says so, and a quiet connection is not asked."""
    waiting = select.poll()
    waiting.register(connection.fileno(), select.POLLIN)
    if waiting.poll(0):
        await AsyncConnectionPool.check_connection(connection)


def _first_line(error: psycopg.Error) -> str:
    return str(error).partition("\n")[0].rstrip(".")
