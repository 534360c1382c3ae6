"""Batches of features: what is stored, what is rejected and why, and what Redis then has."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import redis

from tests.data_path.conftest import FEATURE, OTHER_FEATURE, UNKNOWN, Site
from vfr_data.cache import Cache
from vfr_data.errors import BadInput, StorageError
from vfr_data.features import FeatureRow, FeatureStore, Rejected, Stored

HOUR = timedelta(hours=1)
SERVED = "SELECT ticker, value::float8 FROM ml_feature_store WHERE validation_status = 'valid' ORDER BY 1, timestamp"


WAITING = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
DEADLOCKS = "SELECT pg_stat_clear_snapshot(), deadlocks FROM pg_stat_database WHERE datname = current_database()"


def row(site: Site, value: Any = 1.5, **other: Any) -> FeatureRow:
    return FeatureRow("AAPL", site.now - 2 * HOUR, FEATURE, value)._replace(**other)


def store(site: Site, *rows: Any, cache: Cache | None = None) -> Stored:
    return site.run(lambda store: store.store_batch(rows), cache=cache)


def served(sql: psycopg.Connection) -> list[tuple[str, float]]:
    return sql.execute(SERVED).fetchall()


def test_an_empty_batch_stores_nothing(site: Site) -> None:
    assert store(site) == Stored(0, 0)


def test_valid_rows_are_stored_with_their_scores_and_source(site: Site, sql: psycopg.Connection) -> None:
    rows = [row(site), row(site, 2, ticker="MSFT", confidence=0.9, quality=0.8, source='Polygon, "Inc"\n')]
    assert store(site, *rows) == Stored(2, 0)
    assert served(sql) == [("AAPL", 1.5), ("MSFT", 2)]
    scores = "SELECT confidence_score::float8, data_quality_score::float8, source_provider FROM ml_feature_store"
    assert sql.execute(f"{scores} WHERE ticker = 'MSFT'").fetchall() == [(0.9, 0.8, 'Polygon, "Inc"\n')]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"value": float("nan")}, "value is not a number"),
    ({"value": float("inf")}, "value is too large for numeric(28,8)"),
    ({"value": -float("inf")}, "value is too large for numeric(28,8)"),
    ({"value": 1e300}, "value is too large for numeric(28,8)"),
    ({"value": None}, "value is missing"),
    ({"value": 10**10_000}, "value is too large for a number"),
    ({"value": "1.5"}, "value is no number"),
    ({"value": True}, "value is no number"),
    ({"confidence": 1.01}, "confidence_score is not a number of 0-1"),
    ({"confidence": float("nan")}, "confidence_score is not a number of 0-1"),
    ({"quality": -0.1}, "data_quality_score is not a number of 0-1"),
    ({"feature_id": UNKNOWN}, "feature_id is not defined"),
    ({"feature_id": str(FEATURE)}, "feature_id is no UUID"),
    ({"ticker": ""}, "ticker is empty, not in capitals, or longer than 20"),
    ({"ticker": "aapl"}, "ticker is empty, not in capitals, or longer than 20"),
    ({"ticker": "A" * 21}, "ticker is empty, not in capitals, or longer than 20"),
    ({"ticker": "A\0"}, "ticker is empty, not in capitals, or longer than 20"),
    ({"source": "x" * 101}, "source is no text of at most 100 characters"),
    ({"source": "\ud800"}, "source is no text of at most 100 characters"),
    ({"timestamp": "2026-01-01"}, "timestamp is no datetime"),
]


def test_every_bad_row_is_named_and_the_others_are_stored(site: Site, sql: psycopg.Connection) -> None:
    bad = [row(site, timestamp=site.now - n * HOUR)._replace(**wrong) for n, (wrong, _) in enumerate(BAD, 3)]
    result = store(site, row(site, 1), *bad, row(site, 2, ticker="MSFT"))
    assert sorted(result.examples) == [Rejected(n, reason) for n, (_, reason) in enumerate(BAD, 1)]
    assert (result.stored, result.rejected, result.superseded) == (2, len(BAD), 0)
    assert result.reasons == Counter(reason for _, reason in BAD)
    assert served(sql) == [("AAPL", 1), ("MSFT", 2)]


def test_naive_and_out_of_partition_times_are_rejected_by_name(site: Site, sql: psycopg.Connection) -> None:
    naive = row(site, timestamp=site.now.replace(tzinfo=None))
    old = row(site, timestamp=site.now - timedelta(days=4000))
    reasons = store(site, naive, old, row(site)).reasons
    outside = "timestamp is outside the partitions of ml_feature_store"
    assert reasons == {"timestamp is naive: it needs a time zone": 1, outside: 1}
    assert served(sql) == [("AAPL", 1.5)]


def test_of_duplicates_the_last_valid_one_is_stored(site: Site, sql: psycopg.Connection) -> None:
    result = store(site, row(site, 1), row(site, 2), row(site, float("nan")))
    assert (result.stored, result.rejected, result.superseded) == (1, 1, 1)
    assert served(sql) == [("AAPL", 2)]


class Share(float):
    """A number of a library's own, as numpy's: PostgreSQL says what it is."""


@pytest.mark.parametrize(
    ("first", "last"), [(Share(1), 2.0), (1.0, Share(2)), (float("nan"), 2.0), (2.0, Share("nan"))]
)
def test_of_duplicates_of_two_kinds_of_numbers_the_last_valid_one_is_stored(
    site: Site, sql: psycopg.Connection, first: float, last: float
) -> None:
    result = store(site, row(site, first), row(site, 5.0, ticker="MSFT"), row(site, last))
    bad = sum(each != each for each in (first, last))
    assert (result.stored, result.rejected, result.superseded) == (2, bad, 1 - bad)
    assert served(sql) == [("AAPL", 2), ("MSFT", 5)]


def test_a_batch_of_which_some_rows_are_there_is_stored_whole(site: Site, sql: psycopg.Connection) -> None:
    rows = [row(site, float(n), ticker=f"T{n:03}") for n in range(300)]
    store(site, rows[7])  # none of those that are looked for first
    assert store(site, *(each._replace(value=each.value + 1000) for each in rows)) == Stored(300, 0)
    assert store(site, *rows) == Stored(300, 0)
    assert served(sql) == [(each.ticker, each.value) for each in rows]


class Judged(float):
    """A number that PostgreSQL judges, as it does every one of a type that is not Python's own."""


def test_batches_that_wait_for_one_another_in_a_circle_are_both_stored(site: Site, sql: psycopg.Connection) -> None:
    """Each has stored what the other one wants next, and neither can go on."""
    store(site, *(row(site, 1, ticker=each) for each in ("A0", "B0", "X", "Y")))

    async def both(store: FeatureStore) -> list[Stored]:
        one = (row(site, 2, ticker="X"), row(site, Judged(2), ticker="A0"), row(site, Judged(2), ticker="Y"))
        other = (row(site, 3, ticker="Y"), row(site, Judged(3), ticker="B0"), row(site, Judged(3), ticker="X"))
        with sql.transaction():
            sql.execute("SELECT FROM ml_feature_store WHERE ticker IN ('A0', 'B0') FOR UPDATE")
            batches = [asyncio.create_task(store.store_batch(each)) for each in (one, other)]
            async with asyncio.timeout(30):
                while sql.execute(WAITING).fetchone() != (2,):
                    await asyncio.sleep(0.02)
        return await asyncio.gather(*batches)

    before = sql.execute(DEADLOCKS).fetchone()
    assert site.run(both) == [Stored(3, 0), Stored(3, 0)]
    assert [value for ticker, value in served(sql) if ticker in ("A0", "B0")] == [2, 3]
    assert {value for ticker, value in served(sql) if ticker in ("X", "Y")} in ({2}, {3})
    assert sql.execute(DEADLOCKS).fetchone() != before


def test_an_invalid_row_never_replaces_a_valid_one(site: Site, sql: psycopg.Connection) -> None:
    store(site, row(site, 1))
    assert store(site, row(site, float("nan"))).rejected == 1
    assert served(sql) == [("AAPL", 1)]
    assert store(site, row(site, 3)).stored == 1
    assert served(sql) == [("AAPL", 3)]


def test_reasons_are_counted_and_only_the_first_rows_are_kept(site: Site) -> None:
    result = store(site, *(row(site, float("nan"), timestamp=site.now - n * HOUR) for n in range(1, 101)))
    assert result.reasons == {"value is not a number": 100}
    assert [each.place for each in result.examples] == [*range(20)]


def test_rows_may_come_from_a_generator_of_either_kind(site: Site, sql: psycopg.Connection) -> None:
    def each() -> Iterator[FeatureRow]:
        yield row(site, 1)

    async def later() -> AsyncIterator[FeatureRow]:
        yield row(site, 2, ticker="MSFT")

    site.run(lambda store: store.store_batch(each()))
    site.run(lambda store: store.store_batch(later()))
    assert served(sql) == [("AAPL", 1), ("MSFT", 2)]


def test_rows_may_come_from_arrow_and_pandas(site: Site, sql: psycopg.Connection) -> None:
    pa = pytest.importorskip("pyarrow")
    columns = {
        "ticker": ["AAPL", "MSFT"],
        "timestamp": pa.array([site.now - HOUR] * 2, pa.timestamp("us", "UTC")),
        "feature_id": [str(FEATURE), "none"],
        "value": [1.5, 2.5],
        "confidence": [None, 0.5],
    }
    table = pa.table(columns)
    assert site.run(lambda store: store.store_batch(table)).reasons == {"feature_id is no UUID": 1}
    frame = table.to_pandas().assign(ticker=["GOOG", "TSLA"], feature_id=[FEATURE, FEATURE])
    assert site.run(lambda store: store.store_batch(frame)) == Stored(2, 0)
    assert served(sql) == [("AAPL", 1.5), ("GOOG", 1.5), ("TSLA", 2.5)]


def test_a_batch_may_take_longer_than_a_statement(site: Site, sql: psycopg.Connection) -> None:
    async def slow() -> AsyncIterator[FeatureRow]:
        yield row(site, 1)
        await asyncio.sleep(0.6)
        yield row(site, 2, ticker="MSFT")

    async def work() -> Stored:
        async with site.database(statement_seconds=0.3) as database:
            return await FeatureStore(database, None, lambda: site.now).store_batch(slow())

    assert asyncio.run(work()) == Stored(2, 0)
    assert served(sql) == [("AAPL", 1), ("MSFT", 2)]


@pytest.mark.parametrize("batch", [None, "rows", {"ticker": "AAPL"}, [1], [("AAPL",)], [{"ticker": "AAPL"}]])
def test_what_is_no_batch_is_refused(site: Site, batch: Any) -> None:
    with pytest.raises(BadInput, match=r"is no batch|no FeatureRow"):
        site.run(lambda store: store.store_batch(batch))


def test_a_source_that_fails_half_way_stores_nothing(site: Site, sql: psycopg.Connection) -> None:
    def breaks() -> Iterator[FeatureRow]:
        yield row(site, 1)
        raise OSError("the feed went away")

    with pytest.raises(OSError, match="the feed went away"):
        site.run(lambda store: store.store_batch(breaks()))
    assert served(sql) == []


def test_a_connection_that_is_ended_half_way_stores_nothing(site: Site, sql: psycopg.Connection) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> %s"

    def ended() -> Iterator[FeatureRow]:
        for n in range(20_000):
            yield row(site, n, timestamp=site.now - timedelta(seconds=n + 1))
            if n == 10_000:
                sql.execute(others, [sql.info.backend_pid])

    with pytest.raises(StorageError, match="Nothing of this transaction is stored"):
        site.run(lambda store: store.store_batch(ended()))
    assert served(sql) == []


def test_the_newest_value_of_the_open_window_is_cached_until_its_end(site: Site, keys: redis.Redis) -> None:
    new = row(site, 2, timestamp=site.now - timedelta(seconds=5), confidence=0.5, source="A")
    store(site, new, row(site, 1, timestamp=site.now - timedelta(seconds=9)), row(site, 0))
    (key,) = keys.keys()
    assert key.decode() == f"vfr:_shared:ml:features:technical:AAPL:{int(site.now.timestamp()) // 60}"
    found = json.loads(keys.hget(key, str(FEATURE)) or "")
    milliseconds = int(new.timestamp.timestamp() * 1000)
    version = found.pop("version")
    assert found == {"value": 2, "confidence": 0.5, "quality": None, "source": "A", "timestamp": milliseconds} | {
        "at": milliseconds * 1000
    }
    assert version > 1_700_000_000_000_000


def test_a_redis_that_is_away_does_not_fail_the_batch(site: Site, sql: psycopg.Connection) -> None:
    away = Cache.of("redis://127.0.0.1:1")
    assert store(site, row(site, timestamp=site.now), cache=away) == Stored(1, 0)
    assert served(sql) == [("AAPL", 1.5)]
    assert away.counts["failed"] == 2, "once before the commit, once behind it"


def test_a_ticker_that_no_key_can_hold_is_stored_and_not_cached(site: Site, keys: redis.Redis) -> None:
    assert store(site, row(site, timestamp=site.now, ticker="NYSE:A")) == Stored(1, 0)
    assert keys.keys() == []
    found = site.run(lambda store: store.matrix(["NYSE:A"], [FEATURE]))
    assert found.values.tolist() == [[1.5]]


def test_two_features_of_one_ticker_share_a_hash(site: Site, keys: redis.Redis) -> None:
    store(site, row(site, timestamp=site.now), row(site, timestamp=site.now, feature_id=OTHER_FEATURE))
    (key,) = keys.keys()
    assert keys.hlen(key) == 2


def test_any_store_without_a_cache_stores_too(site: Site, sql: psycopg.Connection) -> None:
    async def work(store: FeatureStore) -> Stored:
        return await store.store_batch([row(site, timestamp=site.now)])

    assert site.run(work, cached=False) == Stored(1, 0)
    assert served(sql) == [("AAPL", 1.5)]
