"""Matrices of features: as of a moment, from PostgreSQL and from Redis, complete, partial and empty."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import psycopg
import pytest
import redis

from tests.data_path.conftest import FEATURE, OTHER_FEATURE, UNKNOWN, Site
from vfr_data.cache import Cache
from vfr_data.circuit import Circuit
from vfr_data.database import Database
from vfr_data.errors import BadInput
from vfr_data.features import FeatureMatrix, FeatureRow, FeatureStore, offline

SECOND = timedelta(seconds=1)


def row(site: Site, seconds_ago: float, value: float, **other: Any) -> FeatureRow:
    return FeatureRow("AAPL", site.now - seconds_ago * SECOND, FEATURE, value)._replace(**other)


def store(site: Site, *rows: FeatureRow) -> None:
    site.run(lambda store: store.store_batch(rows))


def twice(site: Site, as_of: datetime | None = None, cache: Cache | None = None) -> FeatureMatrix:
    """The second of two reads: the first one learns which features are cached."""

    async def work(store: FeatureStore) -> FeatureMatrix:
        await store.matrix(["AAPL"], [FEATURE], as_of)
        return await store.matrix(["AAPL"], [FEATURE], as_of)

    return site.run(work, cache=cache)


def test_a_matrix_has_the_last_value_of_each_pair_and_nan_for_none(site: Site) -> None:
    store(
        site,
        row(site, 7200, 1),
        row(site, 3600, 2, confidence=0.5, quality=0.25),
        row(site, 3600, 3, ticker="MSFT", feature_id=OTHER_FEATURE, confidence=1),
    )
    found = site.run(lambda store: store.matrix(["MSFT", "AAPL", "NONE"], [FEATURE, OTHER_FEATURE, UNKNOWN]))
    nan = np.nan
    np.testing.assert_array_equal(found.values, [[nan, 3, nan], [2, nan, nan], [nan] * 3])
    np.testing.assert_array_equal(found.confidence, [[nan, 1, nan], [0.5, nan, nan], [nan] * 3])
    assert (found.found, found.completeness) == (2, 2 / 9)
    assert (found.mean_confidence, found.mean_quality) == (0.75, 0.25)
    at = np.datetime64(site.now.replace(tzinfo=None), "us") - np.timedelta64(3600, "s")
    assert found.timestamps[1, 0] == at
    assert np.isnat(found.timestamps[2, 2])


@pytest.mark.parametrize(("tickers", "features"), [([], [FEATURE]), (["AAPL"], []), ([], [])])
def test_an_empty_question_has_an_empty_answer(site: Site, tickers: list[str], features: list[Any]) -> None:
    found = site.run(lambda store: store.matrix(tickers, features))
    assert found.values.shape == (len(tickers), len(features))
    assert (found.completeness, found.mean_confidence, found.mean_quality) == (None, None, None)


def test_what_is_asked_for_twice_counts_once(site: Site) -> None:
    store(site, row(site, 60, 1))
    found = site.run(lambda store: store.matrix(["AAPL", "AAPL"], [FEATURE, FEATURE]))
    assert (found.tickers, found.completeness) == (("AAPL",), 1)


def test_a_later_value_is_not_seen_to_the_microsecond(site: Site) -> None:
    store(site, row(site, 20, 1), row(site, 10, 2))
    moment = site.now - 10 * SECOND
    assert twice(site, moment).values.tolist() == [[2]]
    assert twice(site, moment - timedelta(microseconds=1)).values.tolist() == [[1]]


def test_an_invalid_value_is_not_seen(site: Site) -> None:
    store(site, row(site, 20, 1), row(site, 10, float("nan")))
    assert twice(site).values.tolist() == [[1]]


@pytest.mark.parametrize("moment", ["naive", "future"])
def test_a_moment_without_zone_or_in_the_future_is_refused(site: Site, moment: str) -> None:
    as_of = site.now.replace(tzinfo=None) if moment == "naive" else site.now + timedelta(days=1)
    with pytest.raises(BadInput, match="has no time zone" if moment == "naive" else "is in the future"):
        site.run(lambda store: store.matrix(["AAPL"], [FEATURE], as_of))


@pytest.mark.parametrize("tickers", ["AAPL", ["aapl"], [None], ["A\0"], ["A\ud800"], [""]])
def test_what_is_no_list_of_tickers_is_refused(site: Site, tickers: Any) -> None:
    with pytest.raises(BadInput, match="give a list of tickers in capitals"):
        site.run(lambda store: store.matrix(tickers, [FEATURE]))


def test_a_feature_that_is_no_uuid_is_refused(site: Site) -> None:
    wrong: Any = [str(FEATURE)]
    with pytest.raises(BadInput, match="is no UUID"):
        site.run(lambda store: store.matrix(["AAPL"], wrong))


def test_a_fresh_value_comes_from_redis(site: Site, sql: psycopg.Connection) -> None:
    store(site, row(site, 5, 1.5, confidence=0.5, quality=0.75))
    sql.execute("UPDATE ml_feature_store SET value = 9")
    found = twice(site)
    assert (found.values.tolist(), found.online) == ([[1.5]], 1)
    assert (found.mean_confidence, found.mean_quality) == (0.5, 0.75)


def test_a_write_replaces_what_is_cached(site: Site) -> None:
    store(site, row(site, 5, 1))
    store(site, row(site, 5, 2))
    assert (twice(site).values.tolist(), twice(site).online) == ([[2]], 1)
    store(site, row(site, 9, 3))
    assert twice(site).values.tolist() == [[2]]
    store(site, row(site, 1, 4))
    assert (twice(site).values.tolist(), twice(site).online) == ([[4]], 1)


def test_an_older_version_does_not_replace_a_newer_one(site: Site, keys: redis.Redis) -> None:
    store(site, row(site, 5, 2))
    [key] = keys.keys()
    entry = json.loads(keys.hget(key, str(FEATURE)) or "")
    keys.hset(key, str(FEATURE), json.dumps(entry | {"version": entry["version"] + 10**12, "value": 7}))
    store(site, row(site, 5, 3))
    assert twice(site).values.tolist() == [[7]]


def test_a_late_row_does_not_hide_a_newer_one_that_is_cached_no_more(site: Site, keys: redis.Redis) -> None:
    store(site, row(site, 5, 2))
    keys.flushdb()
    store(site, row(site, 9, 1))
    found = twice(site)
    assert (found.values.tolist(), found.online) == ([[2]], 1)


WRONG = [
    "no json",
    "[]",
    '{"value": "1", "at": 1}',
    '{"value": NaN, "at": 1}',
    '{"value": 1, "at": 1.5}',
    '{"value": 1}',
    '{"value": true, "at": 1}',
    '{"value": 1, "at": 1, "confidence": "high"}',
    '{"value": 1, "at": true, "confidence": null, "quality": null}',
    '{"value": Infinity, "at": 1, "confidence": null, "quality": null}',
    '{"value": 1, "at": 1, "confidence": NaN, "quality": null}',
    '{"value": 1, "at": 1, "confidence": null, "quality": -Infinity}',
    '{"value": 1, "at": 1, "confidence": null, "quality": false}',
    '{"value": null, "at": 1, "confidence": null, "quality": null}',
    f'{{"value": 1, "at": {-(1 << 63)}, "confidence": null, "quality": null}}',
    f'{{"value": 1, "at": -{"9" * 30}}}',
    f'{{"value": 1{"0" * 400}, "at": 1}}',
    "[" * 100_000,
]


@pytest.mark.parametrize("text", WRONG, ids=[each[:40] for each in WRONG])
def test_a_wrong_cached_value_is_a_counted_miss_and_is_replaced(site: Site, keys: redis.Redis, text: str) -> None:
    store(site, row(site, 5, 1))
    [key] = keys.keys()
    keys.hset(key, str(FEATURE), text)
    cache = Cache.of(site.redis)
    found = twice(site, cache=cache)
    assert (found.values.tolist(), found.online) == ([[1]], 0)
    assert (cache.counts["wrong"], cache.counts["hits"]) == (1, 0)
    store(site, row(site, 4, 2))
    assert (twice(site).values.tolist(), twice(site).online) == ([[2]], 1)


def test_a_key_of_another_type_is_passed_by(site: Site, keys: redis.Redis) -> None:
    store(site, row(site, 5, 1))
    [key] = keys.keys()
    keys.delete(key)
    keys.set(key, "text")
    assert twice(site).values.tolist() == [[1]]


def test_a_redis_that_is_away_is_passed_by(site: Site) -> None:
    store(site, row(site, 5, 1))
    away = Cache.of("redis://127.0.0.1:1")
    assert twice(site, cache=away).values.tolist() == [[1]]
    assert away.counts["failed"] == 1


def test_a_redis_that_is_too_slow_is_passed_by_and_used_again(site: Site, keys: redis.Redis) -> None:
    store(site, row(site, 5, 1))
    cache = Cache(Cache.of(site.redis, timeout=0.5).client, Circuit(failures=1, pause=0))

    async def work(store: FeatureStore) -> list[tuple[float, int]]:
        found = []
        for pause in (0.0, 1.2, 0.0, 0.0):
            if pause:
                keys.client_pause(round(pause * 1000))
            matrix = await store.matrix(["AAPL"], [FEATURE])
            found.append((float(matrix.values[0, 0]), matrix.online))
            await asyncio.sleep(pause)
        return found

    assert site.run(work, cache=cache) == [(1, 0), (1, 0), (1, 1), (1, 1)]
    assert cache.counts["failed"] == 1


def test_a_hundred_thousand_tickers_are_one_matrix(site: Site) -> None:
    tickers = [f"T{n}" for n in range(100_000)]
    store(site, row(site, 7200, 1, ticker="T99999"), row(site, 7200, 2, ticker="T0"))
    found = site.run(lambda store: store.matrix(tickers, [FEATURE]), cached=False)
    assert (found.values[0, 0], found.values[-1, 0], found.found) == (2, 1, 2)


def test_a_matrix_as_arrow_and_pandas_has_a_row_for_each_value(site: Site) -> None:
    pytest.importorskip("pyarrow")
    store(site, row(site, 7200, 1), row(site, 7200, 2, ticker="MSFT", confidence=0.5))
    found = site.run(lambda store: store.matrix(["AAPL", "NONE", "MSFT"], [FEATURE]))
    expected = [("AAPL", 1, site.now - 7200 * SECOND), ("MSFT", 2, site.now - 7200 * SECOND)]
    assert [(each["ticker"], each["value"], each["timestamp"]) for each in found.to_arrow().to_pylist()] == expected
    frame = found.to_pandas()
    assert [*frame[["ticker", "value", "timestamp"]].itertuples(index=False, name=None)] == expected


def test_batches_of_one_row_at_once_leave_in_redis_what_postgres_has(site: Site) -> None:
    async def work(database: Database, cache: Cache) -> list[tuple[float, float, int]]:
        store, plain = (FeatureStore(database, each, lambda: site.now) for each in (cache, None))
        found = []
        for _ in range(5):
            await asyncio.gather(*(store.store_batch([row(site, 5, value)]) for value in range(4)))
            await store.matrix(["AAPL"], [FEATURE])
            cached, kept = [await each.matrix(["AAPL"], [FEATURE]) for each in (store, plain)]
            found.append((float(cached.values[0, 0]), float(kept.values[0, 0]), cached.online))
        return found

    assert [(cached == kept, online) for cached, kept, online in site.run_with(work)] == [(True, 1)] * 5


def test_a_broken_entry_among_many_is_alone_a_miss(site: Site, keys: redis.Redis) -> None:
    tickers = [f"T{n:03}" for n in range(100)]
    store(site, *(FeatureRow(each, site.now, FEATURE, float(n)) for n, each in enumerate(tickers)))
    named = {key.decode(): key for key in keys.scan_iter()}
    for name, text in (("T003", "{"), ("T007", '{"value": 1},{"value": 2}')):
        [key] = [each for each in named if f":{name}:" in each]
        keys.hset(key, str(FEATURE), text)
    [key] = [each for each in named if ":T011:" in each]
    keys.delete(key)
    keys.set(key, "another type")

    async def work(store: FeatureStore) -> FeatureMatrix:
        await store.matrix(tickers, [FEATURE])
        return await store.matrix(tickers, [FEATURE])

    cache = Cache.of(site.redis, timeout=5)
    found = site.run(work, cache=cache)
    assert found.values[:, 0].tolist() == [float(n) for n in range(100)]
    assert (found.online, cache.counts["wrong"], cache.counts["misses"]) == (97, 3, 3)


@pytest.mark.parametrize("together", [True, False])
def test_features_of_their_own_times_are_each_found_as_of_a_moment(
    site: Site, together: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some new each minute, one a day old, one of the future, one that is not valid, a ticker without any."""
    monkeypatch.setattr(offline, "TOGETHER", 1 if together else 1000)
    monkeypatch.setattr(offline, "TICKERS_AT_ONCE", 2)
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    rows = [FeatureRow(t, site.now - n * minute, FEATURE, 100.0 + n) for t in ("A", "B", "C") for n in range(12)]
    rows += [FeatureRow(t, site.now - 20 * hour, OTHER_FEATURE, 7.0, 0.5, 0.25) for t in ("A", "C", "E")]
    rows += [FeatureRow("C", site.now - 5 * hour, OTHER_FEATURE, float("nan"))]
    store(site, *rows)
    asked = ["E", "C", "NONE", "B", "A"], [OTHER_FEATURE, FEATURE]
    found = site.run(lambda store: store.matrix(*asked, site.now - 3 * minute), cached=False)
    none = np.nan
    wanted = [[7, none], [7, 103], [none, none], [none, 103], [7, 103]]
    np.testing.assert_array_equal(found.values, wanted)
    assert (found.confidence[0, 0], found.quality[0, 0]) == (0.5, 0.25)
    stamp = np.datetime64((site.now - 20 * hour).replace(tzinfo=None), "us")
    assert found.timestamps[0, 0] == stamp
    assert np.isnat(found.timestamps[2]).all()
