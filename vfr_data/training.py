"""Rows to train on, read in pieces, so that a data set need not fit into memory."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from vfr_data import arrow
from vfr_data.database import Database
from vfr_data.errors import BadInput
from vfr_data.moments import aware

if TYPE_CHECKING:
    import pyarrow as pa


class TrainingData:
    """Valid values of a period, oldest first, as Arrow. Needs pyarrow."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def batches(
        self, tickers: Sequence[str], feature_ids: Sequence[UUID], start: datetime, end: datetime, *, size: int = 50_000
    ) -> AsyncIterator["pa.RecordBatch"]:
        """Record batches of at most `size` rows, from `start` to before `end`, all of one snapshot of the database.

        Columns: ticker, feature_id, timestamp (microseconds, UTC), value, confidence, quality. Raises BadInput.
        """
        aware(start, "start")
        aware(end, "end")
        if size < 1:
            raise BadInput(f"size is {size}; give 1 or more")
        async with self._database.transaction() as connection, connection.cursor("training", binary=True) as cursor:
            await cursor.execute(arrow.ROWS, [list(tickers), list(feature_ids), start, end])
            while rows := await cursor.fetchmany(size):
                yield arrow.batch(rows)
