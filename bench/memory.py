"""How much memory of Python a batch takes at its peak."""

from __future__ import annotations

import asyncio
import tracemalloc

from bench import data_path_rows as rows
from vfr_data.database import Database
from vfr_data.features import FeatureStore


def peaks(url: str, count: int) -> int:
    """Bytes that a batch of so many rows, which come one by one, takes at most."""

    async def store() -> int:
        async with Database(url, size=1) as database:
            tracemalloc.start()
            try:
                await FeatureStore(database).store_batch(rows.each(count))
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    found = asyncio.run(store())
    rows.taken_back(url)
    return found
