"""The feature store: PostgreSQL has every value, Redis the newest ones of the window that is open."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg

from vfr_data.cache import Cache
from vfr_data.database import Connection, Database
from vfr_data.errors import BadInput
from vfr_data.features import offline, online, wire
from vfr_data.features.matrix import Cell, FeatureMatrix, Filling
from vfr_data.features.online import Entry
from vfr_data.features.reads import Reads
from vfr_data.features.rows import Rejections, Source, Stored, each_row, is_ticker
from vfr_data.features.wire import Packer
from vfr_data.moments import Clock, aware, now
from vfr_data.tasks import committed

CLOCKS_APART = timedelta(seconds=60)
_LISTED = "n, ticker, timestamp, feature_id, value, confidence_score, data_quality_score, source_provider"
# Memory enough to sort a batch, which else goes through files.
_BEGIN = """
SELECT set_config('statement_timeout', '0', true), set_config('work_mem', '64MB', true), stage_features()
"""
# Rows that are valid for sure; staged_features, which the shipped function judges, has the others.
_PLAIN = "CREATE TEMPORARY TABLE plain_features (LIKE pg_temp.staged_features) ON COMMIT DROP"
_COPY = f"COPY pg_temp.{{table}} ({_LISTED}) FROM STDIN (FORMAT binary)"
PIECE = 1 << 16
"""Bytes that are sent at once; as many of rows that are not plain wait for the next change of tables."""
# LOCK keeps the partitions that were seen.
_INSIDE = """
SELECT coalesce(string_agg(coalesce(pg_get_partition_constraintdef(relid), 'true'), ' OR '), 'false')
FROM pg_partition_tree('ml_feature_store') WHERE isleaf AND level > 0
"""
# Plain rows that are judged after all.
_MOVE = f"""
WITH gone AS (
    DELETE FROM pg_temp.plain_features p {{which}}
    RETURNING {", ".join(f"p.{each}" for each in _LISTED.split(", "))}
)
INSERT INTO pg_temp.staged_features ({_LISTED}) OVERRIDING SYSTEM VALUE SELECT {_LISTED} FROM gone
"""
_OUTSIDE = "WHERE ({inside}) IS NOT TRUE"
# Rows of one key are judged together, for the last valid one is to stay.
_SAME = """USING pg_temp.staged_features s
    WHERE p.ticker = s.ticker AND p.feature_id = s.feature_id AND p.timestamp = s.timestamp"""
ATTEMPTS = 5
"""Times that a batch is settled when others wait for it in a circle."""
# Sorted by key, so that two batches wait for one another in one order, and neighbours in the indexes come in turn.
_INSERT = """
INSERT INTO ml_feature_store (ticker, timestamp, feature_id, value, confidence_score, data_quality_score,
    source_provider, validation_status)
SELECT DISTINCT ON (ticker, feature_id, timestamp) ticker, timestamp, feature_id, value::numeric,
    confidence_score::numeric, data_quality_score::numeric, source_provider, 'valid'
FROM pg_temp.plain_features ORDER BY ticker, feature_id, timestamp, n DESC
"""
# Valid rows replace whatever is there.
_UPSERT = f"""{_INSERT}
ON CONFLICT (ticker, feature_id, timestamp) DO UPDATE SET
    value = excluded.value, confidence_score = excluded.confidence_score,
    data_quality_score = excluded.data_quality_score, source_provider = excluded.source_provider,
    validation_status = excluded.validation_status
"""
# Whether rows of the batch seem to be there already: some dozens of them, over the whole of it.
_AGAIN = """
SELECT EXISTS (
    SELECT FROM (SELECT * FROM pg_temp.plain_features WHERE n %% %s = 0 LIMIT 100) s JOIN ml_feature_store f
    ON f.ticker = s.ticker AND f.feature_id = s.feature_id AND f.timestamp = s.timestamp
)
"""
# The foreign key would refuse the whole batch.
_UNKNOWN = """
WITH plain AS (
    DELETE FROM pg_temp.plain_features s
    WHERE NOT EXISTS (SELECT FROM ml_feature_definitions d WHERE d.feature_id = s.feature_id) RETURNING n
), others AS (
    DELETE FROM pg_temp.staged_features s
    WHERE NOT EXISTS (SELECT FROM ml_feature_definitions d WHERE d.feature_id = s.feature_id) RETURNING n
), gone AS (SELECT n FROM plain UNION ALL SELECT n FROM others)
SELECT (SELECT count(*) FROM gone), ARRAY(SELECT n FROM gone ORDER BY n LIMIT 20)
"""
_REPORT = "SELECT stored, invalid, rejected, superseded FROM store_staged_features_report()"
_REASONS = """
SELECT reason, count(*), (array_agg(n ORDER BY n))[1:20] FROM pg_temp.invalid_features GROUP BY reason ORDER BY min(n)
"""
# Of plain rows the newest of each pair; of the others each, for it is judged later, by its number.
_TOUCHED = """
CREATE TEMPORARY TABLE touched_features ON COMMIT DROP AS
WITH w AS (
    SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[]) w(kind, first, beyond)
    JOIN ml_feature_definitions d ON d.feature_type = w.kind
)
SELECT NULL::bigint AS n, ticker, feature_id, kind, first, beyond, max(timestamp) AS newest
FROM pg_temp.plain_features JOIN w USING (feature_id) WHERE timestamp >= first AND timestamp < beyond
GROUP BY ticker, feature_id, kind, first, beyond
UNION ALL
SELECT n, ticker, feature_id, kind, first, beyond, timestamp
FROM pg_temp.staged_features JOIN w USING (feature_id) WHERE timestamp >= first AND timestamp < beyond
"""
# The clock is read after the rows were locked and before they are let go, so that of two batches with the same row the
# one that commits last has the later. A row of somebody else is not locked: who writes it now has the say, version 0.
_NEWEST = """
SELECT t.ticker, t.feature_id, t.kind, f.value::float8, f.confidence_score::float8, f.data_quality_score::float8,
    (extract(epoch FROM f.timestamp) * 1000000)::bigint, f.source_provider,
    CASE WHEN f.timestamp = t.newest THEN (extract(epoch FROM clock_timestamp()) * 1000000)::bigint ELSE 0 END
FROM (
    SELECT ticker, feature_id, kind, first, beyond, max(newest) FILTER (WHERE reason IS NULL) AS newest
    FROM pg_temp.touched_features LEFT JOIN pg_temp.invalid_features USING (n, ticker, feature_id)
    GROUP BY ticker, feature_id, kind, first, beyond
) t CROSS JOIN LATERAL (
    SELECT * FROM ml_feature_store m WHERE m.ticker = t.ticker AND m.feature_id = t.feature_id
        AND m.timestamp >= t.first AND m.timestamp < t.beyond AND m.validation_status = 'valid'
    ORDER BY m.timestamp DESC LIMIT 1
) f
"""


class FeatureStore:
    """Stores and reads values of features. Without a cache every read is PostgreSQL's."""

    def __init__(self, database: Database, cache: Cache | None = None, clock: Clock = now) -> None:
        self._database, self._cache, self._clock = database, cache, clock
        self._reads = Reads(cache) if cache else None
        self._kinds: dict[UUID, str] = {}

    async def store_batch(self, rows: Source) -> Stored:
        """Store a batch of any size in one transaction; see Stored for what is counted.

        Rows are sent as they come, so that the batch need not fit into memory. A row that is not valid never replaces
        a valid one. Redis is filled after the commit, and its failure is not an error here: it is counted by the cache.
        Raises BadInput for what is no batch of rows, StorageError or PoolExhausted: then nothing of it is stored.
        """
        rejections = Rejections()
        async with AsyncExitStack() as transaction:
            connection = await transaction.enter_async_context(self._database.transaction())
            # A batch takes as long as it has rows and its source gives them.
            await connection.execute(_BEGIN)
            await connection.execute(_PLAIN)
            if await self._copy(connection, rows, rejections):
                await connection.execute(_MOVE.format(which=_SAME).encode())
            stored, superseded = await self._settle_patiently(connection, rejections)
            entries = await self._newest(connection)
            if self._cache:
                await online.withdraw(self._cache, entries)
            await committed(transaction.pop_all(), partial(self._cached, entries))
        rejected = sum(rejections.reasons.values())
        return Stored(stored, rejected, superseded, dict(rejections.reasons), tuple(rejections.examples))

    async def matrix(
        self, tickers: Sequence[str], feature_ids: Sequence[UUID], as_of: datetime | None = None
    ) -> FeatureMatrix:
        """Of each ticker and feature the last valid value that is not later than `as_of`, now if that is not given.

        Tickers and features that are given twice count once. Raises BadInput for what is no ticker or no UUID, for a
        moment without a time zone, and for one in the future: it would be answered differently later.
        """
        at = self._clock()
        moment = aware(as_of or at, "as_of")
        if moment > at + CLOCKS_APART:
            raise BadInput(f"as_of {moment.isoformat()} is in the future; give a moment until {at.isoformat()}")
        filling = Filling(*_asked(tickers, feature_ids))
        if filling.tickers and filling.feature_ids:
            await self._fill_online(filling, moment, at)
            await self._fill(filling, moment)
        return filling.done(moment)

    async def _copy(self, connection: Connection, rows: Source, rejections: Rejections) -> bool:
        """Plain rows into one table, the others into another, a few of which wait meanwhile: COPY is one at a time.

        Whether there were others.
        """
        packer, others, n, some = Packer(), bytearray(), 0, False
        source = each_row(rows)
        more = True
        while more:
            more = False
            async with _copying(connection, "plain_features") as send:
                plain = bytearray()
                async for row in source:
                    packed = packer.pack(n, row)
                    if packed.reason:
                        rejections.add(packed.reason, 1, [n])
                    elif packed.is_plain:
                        plain += packed.row
                    else:
                        others += packed.row
                    n += 1
                    if len(plain) > PIECE:
                        await send(bytes(plain))
                        plain.clear()
                    if len(others) > PIECE:
                        more = True
                        break
                await send(bytes(plain))
            if others:
                some = True
                async with _copying(connection, "staged_features") as send:
                    await send(bytes(others))
                others.clear()
        return some

    async def _cached(self, entries: Sequence[Entry]) -> None:
        if self._cache:
            await online.write(self._cache, entries)

    async def _settle_patiently(self, connection: Connection, rejections: Rejections) -> tuple[int, int]:
        """As `_settle`, and once more when PostgreSQL ended a circle of batches by this one.

        Each of the two tables is stored in the order of its keys, so that circles need a batch with both. The one that
        is ended lets its rows go and stores them all by the function, in one order.
        """
        for _ in range(ATTEMPTS - 1):
            with suppress(psycopg.errors.DeadlockDetected):
                async with connection.transaction():
                    return await self._settle(connection, rejections)
            await connection.execute(_MOVE.format(which="").encode())
        return await self._settle(connection, rejections)

    async def _settle(self, connection: Connection, rejections: Rejections) -> tuple[int, int]:
        """Stored and superseded rows of what is staged."""
        await connection.execute("LOCK TABLE ONLY ml_feature_store IN ROW EXCLUSIVE MODE")
        [inside] = await _one(connection, _INSIDE)
        await connection.execute(_MOVE.format(which=_OUTSIDE.format(inside=inside)).encode())
        unknown, indexes = await _one(connection, _UNKNOWN)
        if self._cache:
            at = self._clock()
            # Those of a reader whose clock is another.
            near = {each for moment in (at - CLOCKS_APART, at, at + CLOCKS_APART) for each in online.windows(moment)}
            await connection.execute(_TOUCHED, [list(each) for each in zip(*near, strict=True)])
        [staged] = await _one(connection, "SELECT count(*) FROM pg_temp.plain_features")
        plain = await _upserted(connection, staged) if staged else 0
        stored, invalid, rejected, superseded = await _one(connection, _REPORT)
        reasons = await (await connection.execute(_REASONS)).fetchall()
        if unknown:
            reasons.insert(0, ("feature_id is not defined", unknown, indexes))
        for reason, count, indexes in reasons:
            rejections.add(reason, count, indexes)
        return plain + stored - (invalid - rejected), staged - plain + superseded

    async def _newest(self, connection: Connection) -> list[Entry]:
        if not self._cache:
            return []
        found = await connection.execute(_NEWEST)
        return [
            Entry(ticker, feature, kind, Cell(value, confidence, quality, at), source, version)
            for ticker, feature, kind, value, confidence, quality, at, source, version in await found.fetchall()
        ]

    async def _fill_online(self, filling: Filling, as_of: datetime, at: datetime) -> None:
        if self._reads is None:
            return
        kinds = {each: self._kinds[each] for each in filling.feature_ids if each in self._kinds}
        await online.read(self._reads, filling, kinds, as_of, at)

    async def _fill(self, filling: Filling, as_of: datetime) -> None:
        if filling.is_full:
            return
        rows, columns = filling.missing()
        async with self._database.transaction() as connection:
            if len(columns) >= offline.TOGETHER or len(rows) * len(columns) > offline.AT_ONCE:  # all of one snapshot
                await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await self._learn_kinds(connection, [filling.feature_ids[each] for each in columns])
            await offline.fill(connection, filling, as_of)

    async def _learn_kinds(self, connection: Connection, features: Sequence[UUID]) -> None:
        """The types of features do not change, so that they are asked for once."""
        unknown = [each for each in features if each not in self._kinds]
        if unknown and self._cache:
            found = await connection.execute(
                "SELECT feature_id, feature_type FROM ml_feature_definitions WHERE feature_id = ANY(%s)", [unknown]
            )
            self._kinds.update(await found.fetchall())


def _asked(tickers: Sequence[str], feature_ids: Sequence[UUID]) -> tuple[list[str], list[UUID]]:
    given = [] if isinstance(tickers, str) else list(tickers)
    if isinstance(tickers, str) or not all(map(is_ticker, given)):
        wrong_one = tickers if isinstance(tickers, str) else next(each for each in given if not is_ticker(each))
        raise BadInput(f"tickers: {wrong_one!r}; give a list of tickers in capitals, each of 1 to 20 characters")
    for each in feature_ids:
        if not isinstance(each, UUID):
            raise BadInput(f"feature_ids: {each!r} is no UUID; give the feature_id of ml_feature_definitions")
    return given, list(feature_ids)


@asynccontextmanager
async def _copying(connection: Connection, table: str) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
    """Lend what sends rows to a table."""
    async with connection.cursor() as cursor, cursor.copy(_COPY.format(table=table)) as copy:
        await copy.write(wire.HEAD)
        yield copy.write
        await copy.write(wire.TAIL)


async def _upserted(connection: Connection, staged: int) -> int:
    """Rows stored of plain_features.

    To insert with an eye on conflicts costs a third more. So rows that seem to be new are inserted without, and once
    more, with it, where one was there.
    """
    [again] = await _one(connection, _AGAIN, max(1, staged // 50))
    if not again:
        with suppress(psycopg.errors.UniqueViolation):
            async with connection.transaction():
                return (await connection.execute(_INSERT)).rowcount
    return (await connection.execute(_UPSERT)).rowcount


async def _one(connection: Connection, query: str, *given: object) -> tuple[Any, ...]:
    row = await (await connection.execute(query, given or None)).fetchone()
    assert row is not None  # aggregates give one row
    return tuple(row)
