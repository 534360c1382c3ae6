"""No read as of a moment sees a later value: random values and moments, four time zones, with Redis and without."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import hypothesis.strategies as st
import numpy as np
import psycopg
import pytest
import redis
from hypothesis import HealthCheck, given, settings

from tests.data_path.conftest import FEATURE, OTHER_FEATURE, Site
from vfr_data.cache import Cache
from vfr_data.features import FeatureRow, FeatureStore

ZONES = ("UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati")
TICKERS, FEATURES = ("AAPL", "MSFT"), (FEATURE, OTHER_FEATURE)
# Most within the minute that is open, where Redis has a word; the others within two days.
AGO = st.one_of(st.integers(0, 39_999_999), st.integers(0, 39), st.integers(0, 172_800_000_000))
BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(TICKERS), st.sampled_from(FEATURES), AGO, st.booleans()), max_size=5),
    min_size=1,
    max_size=4,
)
Known = dict[tuple[str, Any], dict[datetime, float]]


@pytest.mark.parametrize("zone", ZONES)
def test_no_read_as_of_a_moment_sees_a_later_value(
    site: Site, sql: psycopg.Connection, keys: redis.Redis, zone: str
) -> None:
    there = site.at(zone=zone)

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(BATCHES, st.lists(AGO, min_size=1, max_size=4))
    def holds(batches: list[list[tuple[str, Any, int, bool]]], moments: list[int]) -> None:
        sql.execute("DELETE FROM ml_feature_store")
        keys.flushdb()
        there.run(lambda store: _play(there, store, batches, moments))

    holds()


async def _play(
    site: Site, store: FeatureStore, batches: list[list[tuple[str, Any, int, bool]]], moments: list[int]
) -> None:
    """After each batch, what is read as of each moment is what a dictionary has."""
    known: Known = {}
    value = 0.0
    for batch in batches:
        rows = []
        for ticker, feature, ago, is_valid in batch:
            value += 1
            at = site.now - timedelta(microseconds=ago)
            rows.append(FeatureRow(ticker, at, feature, value if is_valid else float("nan")))
            if is_valid:
                known.setdefault((ticker, feature), {})[at] = value
        await store.store_batch(rows)
        for ago in moments:
            moment = site.now - timedelta(microseconds=ago)
            expected = [[_as_of(known, ticker, feature, moment) for feature in FEATURES] for ticker in TICKERS]
            for _ in range(2):
                np.testing.assert_array_equal((await store.matrix(TICKERS, FEATURES, moment)).values, expected)


def _as_of(known: Known, ticker: str, feature: Any, moment: datetime) -> float:
    earlier = {at: value for at, value in known.get((ticker, feature), {}).items() if at <= moment}
    return earlier[max(earlier)] if earlier else float("nan")


def test_reads_beside_writes_see_no_later_value(site: Site) -> None:
    """Writers put the second of its time into each value; a reader as of a moment must not meet a later second."""

    async def work(store: FeatureStore) -> list[float]:
        moment = site.now - timedelta(seconds=20)

        async def write(ago: int) -> None:
            await store.store_batch([FeatureRow("AAPL", site.now - timedelta(seconds=ago), FEATURE, float(ago))])

        async def read() -> float:
            return float((await store.matrix(["AAPL"], [FEATURE], moment)).values[0, 0])

        await write(30)
        seen: list[float] = []
        for ago in (29, 10, 28, 11, 27, 12, 26, 13, 25, 14, 24):
            results = await asyncio.gather(write(ago), read(), read(), return_exceptions=False)
            seen += [each for each in results if isinstance(each, float)]
        return [*seen, await read()]

    seen = site.run(work, cache=Cache.of(site.redis))
    assert min(seen) >= 20
    assert seen[-1] == 24
