"""Tables of ClickHouse as an application writes them: a row is a dataclass whose fields are the columns."""

import asyncio
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import astuple, fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vfr_data.errors import BadInput, StorageError
from vfr_data.moments import aware

if TYPE_CHECKING:
    from clickhouse_connect.driver.client import Client

Result = TypeVar("Result")
Row = TypeVar("Row")
_CONSTRAINT = re.compile(r"Constraint `(\w+)`")
_REFUSED = re.compile(r"\(VIOLATED_CONSTRAINT\)|\(CANNOT_PARSE|\(TYPE_MISMATCH\)|\(UNKNOWN_ELEMENT_OF_ENUM\)")


class Table(Generic[Row]):
    """One table and its rows. `client` is clickhouse-connect's, made with `autogenerate_session_id=False`.

    Calls run in threads: the client waits in them.
    """

    def __init__(self, client: "Client", name: str, row: type[Row]) -> None:
        self._client, self._name, self._row = client, name, row
        self._columns = [each.name for each in fields(row)]  # type: ignore[arg-type]

    async def store(self, given: Sequence[Row]) -> None:
        """Store rows. Raises BadInput for what a check of the table refuses: none of them is stored then.

        Raises StorageError when the server went away: send the same rows again, and they are there once, for the server
        knows a batch by what is in it.
        """
        rows = [list(astuple(each)) for each in given]  # type: ignore[call-overload]
        for row in rows:
            for name, value in zip(self._columns, row, strict=True):
                if isinstance(value, datetime):
                    aware(value, name)
        if rows:
            await self._call(lambda: self._insert(rows))

    async def read(self, where: str, **parameters: Any) -> list[Row]:
        """Rows that `where`, which may end with an order and a limit, leaves; `{name:Type}` stands for a parameter."""
        query = f"SELECT {', '.join(self._columns)} FROM {self._name} {where}"
        found = await self._call(lambda: self._client.query(query, parameters=parameters))
        return [self._made(row) for row in found.result_rows]

    def _insert(self, rows: list[list[Any]]) -> None:
        # Not as the profile of the user has it: what was answered is in the table, and a check that refuses is told.
        token = hashlib.sha256(repr(rows).encode()).hexdigest()
        settings = {"async_insert": 0, "insert_deduplicate": 1, "insert_deduplication_token": token}
        self._client.insert(self._name, rows, column_names=self._columns, settings=settings)

    async def _call(self, work: Callable[[], Result]) -> Result:
        from clickhouse_connect.driver.exceptions import ClickHouseError, DataError

        try:
            return await asyncio.to_thread(work)
        except (DataError, TypeError) as error:
            raise BadInput(
                f"ClickHouse cannot take it: {_line(error)}; give the types of {self._row.__name__}"
            ) from error
        except ClickHouseError as error:
            if _REFUSED.search(str(error)):
                name = found[1] if (found := _CONSTRAINT.search(str(error))) else _line(error)
                raise BadInput(f"{self._name} refuses it: {name}. None of the rows is stored; correct it") from error
            raise StorageError(f"ClickHouse: {_line(error)}; send it again, it is stored once") from error
        except OSError as error:
            raise StorageError(f"ClickHouse: {_line(error)}; send it again, it is stored once") from error

    def _made(self, row: Sequence[Any]) -> Row:
        return self._row(**{name: _told(value) for name, value in zip(self._columns, row, strict=True)})


def _told(value: Any) -> Any:
    """As the dataclasses have it: moments with a time zone, tuples for lists."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, list | tuple):
        return tuple(_told(each) for each in value)
    return tuple(value.values()) if isinstance(value, dict) else value


def _line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).partition("\n")[0][:300].rstrip(".")
