"""Values as of a moment from PostgreSQL, as columns: its arrays become those of numpy without an object for each.

Of many features the newest entries of a ticker are read in one go, for features that are computed together lie side by
side in the covering index; what is older than those, or was asked for alone, is looked for one by one.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Buffer, Loader
from psycopg.postgres import types
from psycopg.pq import Format

from vfr_data.database import Connection
from vfr_data.features.matrix import Filling

TICKERS_AT_ONCE = 2000
AT_ONCE = 50_000
"""How many values are looked for one by one at once."""
TOGETHER = 8
"""From so many features on the newest entries of a ticker are read in one go."""
ENTRIES = 4
"""How many entries of a ticker are read at most for each feature that is asked for."""

_VALUES = """
    array_agg(r.value::float8), array_agg(coalesce(r.confidence_score::float8, 'NaN')),
    array_agg(coalesce(r.data_quality_score::float8, 'NaN')), array_agg(r.timestamp)
"""
_COLUMNS = "m.value, m.confidence_score, m.data_quality_score, m.timestamp"
_UNTIL = "m.timestamp <= %(as_of)s AND m.validation_status = 'valid'"
# WITH TIES: all of the last moment, however few of them are asked for; the outer bound holds for a ticker of thousands.
_NEWEST = f"""
SELECT array_agg((t.n - 1)::int8), array_agg(coalesce(f.n, 0)::int8 - 1), {_VALUES}
FROM unnest(%(tickers)s::text[]) WITH ORDINALITY t(ticker, n) CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT m.feature_id, {_COLUMNS} FROM ml_feature_store m WHERE m.ticker = t.ticker AND {_UNTIL}
        ORDER BY m.timestamp DESC FETCH FIRST %(fewest)s ROWS WITH TIES
    ) newest LIMIT %(most)s
) r LEFT JOIN unnest(%(features)s::uuid[]) WITH ORDINALITY f(feature_id, n) USING (feature_id)
"""
_EACH = f"""
SELECT array_agg(p.row), array_agg(p.col), {_VALUES}
FROM unnest(%(rows)s::int8[], %(cols)s::int8[], %(tickers)s::text[], %(features)s::uuid[]) p(row, col, ticker, feature)
CROSS JOIN LATERAL (
    SELECT {_COLUMNS} FROM ml_feature_store m
    WHERE m.ticker = p.ticker AND m.feature_id = p.feature AND {_UNTIL} ORDER BY m.timestamp DESC LIMIT 1
) r
"""
_Array = NDArray[Any]
_HEAD = 20
"""Bytes of an array of one dimension before its elements, each of which has its length before it."""
_EPOCH = 946_684_800_000_000
"""Microseconds from 1970 to 2000, where PostgreSQL begins."""


async def fill(connection: Connection, filling: Filling, as_of: datetime) -> None:
    """Put in what `filling` misses, as of a moment; all of one snapshot, if the transaction has one."""
    rows, columns = filling.missing()
    for start in range(0, len(rows), TICKERS_AT_ONCE):
        chunk = rows[start : start + TICKERS_AT_ONCE]
        if len(columns) >= TOGETHER:
            chunk = await _newest(connection, filling, chunk, columns, as_of)
        await _each(connection, filling, chunk, as_of)


async def _newest(connection: Connection, filling: Filling, rows: _Array, columns: _Array, as_of: datetime) -> _Array:
    """Read the newest entries of these tickers; return the tickers of which there are more."""
    fewest, most = len(columns), ENTRIES * len(columns)
    given = {
        "tickers": [filling.tickers[each] for each in rows],
        "features": [filling.feature_ids[each] for each in columns],
    }
    found = await _arrays(connection, _NEWEST, given | {"fewest": fewest, "most": most, "as_of": as_of})
    if found is None:
        return rows[:0]
    row, column, *values = found
    asked = column >= 0
    filling.put_all(rows[row[asked]], columns[column[asked]], *(each[asked] for each in values))
    return rows[np.bincount(row, minlength=len(rows)) >= fewest]


async def _each(connection: Connection, filling: Filling, tickers: _Array, as_of: datetime) -> None:
    for rows, columns in _pieces(*filling.holes(tickers), AT_ONCE):
        given: dict[str, Any] = {"rows": rows.tolist(), "cols": columns.tolist(), "as_of": as_of}
        given["tickers"] = [filling.tickers[each] for each in rows]
        given["features"] = [filling.feature_ids[each] for each in columns]
        if found := await _arrays(connection, _EACH, given):
            filling.put_all(*found)


def _pieces(rows: _Array, columns: _Array, size: int) -> Iterator[tuple[_Array, _Array]]:
    for start in range(0, len(rows), size):
        yield rows[start : start + size], columns[start : start + size]


async def _arrays(connection: Connection, query: str, given: dict[str, Any]) -> list[_Array] | None:
    """The columns of an answer of one row; None where it has none: there were no values."""
    async with connection.cursor(binary=True) as cursor:
        for oid, loader in _LOADERS.items():
            cursor.adapters.register_loader(oid, loader)
        await cursor.execute(query, given)
        row: Sequence[_Array | None] | None = await cursor.fetchone()
    assert row is not None  # aggregates give one row
    *columns, stamps = row
    if stamps is None:
        return None
    return [*(each for each in columns if each is not None), stamps + _EPOCH]


class _Floats(Loader):
    """An array of float8, of one dimension and without NULL."""

    format = Format.BINARY
    element = np.dtype([("length", ">i4"), ("element", ">f8")])
    native: type[np.generic] = np.float64

    def load(self, data: Buffer) -> _Array:
        return np.frombuffer(data, self.element, offset=_HEAD)["element"].astype(self.native)


class _Integers(_Floats):
    """An array of int8, or of times: microseconds since 2000."""

    element = np.dtype([("length", ">i4"), ("element", ">i8")])
    native = np.int64


_OIDS = {each: types[each].array_oid for each in ("float8", "int8", "timestamptz")}
_LOADERS: dict[int, type[Loader]] = {oid: _Floats if name == "float8" else _Integers for name, oid in _OIDS.items()}
