"""Analyses, health, fallback and latencies in Redis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
import redis

from tests.data_path.conftest import AWAY, Result, Site
from vfr_data.analysis import AnalysisCache
from vfr_data.cache import Cache
from vfr_data.errors import BadInput
from vfr_data.latency import LatencyTracker

CLASSIC, ENHANCED = {"symbol": "AAPL", "composite_score": 75.5}, {"symbol": "AAPL", "ml_enhanced_score": 78.2}


def run(site: Site, work: Callable[[AnalysisCache], Awaitable[Result]], cache: Cache | None = None) -> Result:
    return _with_cache(site, lambda used: work(AnalysisCache(used, lambda: site.now)), cache)


def _with_cache(site: Site, work: Callable[[Cache], Awaitable[Result]], cache: Cache | None) -> Result:
    async def whole() -> Result:
        used = cache or Cache.of(site.redis, timeout=5)
        try:
            return await work(used)
        finally:
            await used.aclose()

    return asyncio.run(whole())


def test_an_enhanced_analysis_is_preferred_where_there_is_one(site: Site) -> None:
    async def work(cache: AnalysisCache) -> list[Any]:
        found = [await cache.get("AAPL", prefer_enhanced=True)]
        await cache.put("AAPL", CLASSIC)
        found.append(await cache.get("AAPL", prefer_enhanced=True))
        await cache.put("AAPL", ENHANCED, enhanced=True)
        return [*found, await cache.get("AAPL", prefer_enhanced=True), await cache.get("AAPL")]

    assert run(site, work) == [None, CLASSIC, ENHANCED, CLASSIC]


def test_an_analysis_is_of_its_quarter_of_an_hour(site: Site, keys: redis.Redis) -> None:
    run(site, lambda cache: cache.put("AAPL", CLASSIC))
    assert 890 <= keys.ttl(keys.keys()[0]) <= 900
    assert run(site.at(now=site.now + timedelta(minutes=15)), lambda cache: cache.get("AAPL")) is None


def test_many_askers_compute_once(site: Site) -> None:
    calls = []

    async def compute() -> dict[str, Any]:
        calls.append(1)
        await asyncio.sleep(0.01)
        return CLASSIC

    async def work(cache: AnalysisCache) -> list[Any]:
        found = await asyncio.gather(*(cache.get_or_compute("AAPL", compute) for _ in range(50)))
        return [*found, await cache.get_or_compute("AAPL", compute)]

    assert run(site, work) == [CLASSIC] * 51
    assert len(calls) == 1


def test_one_who_waits_and_is_cancelled_does_not_stop_the_others(site: Site) -> None:
    async def compute() -> dict[str, Any]:
        await asyncio.sleep(0.05)
        return CLASSIC

    async def work(cache: AnalysisCache) -> Any:
        first = asyncio.create_task(cache.get_or_compute("AAPL", compute))
        second = asyncio.create_task(cache.get_or_compute("AAPL", compute))
        await asyncio.sleep(0.01)
        first.cancel()
        return await second

    assert run(site, work) == CLASSIC


def test_what_computing_raises_is_raised_to_all_and_not_kept(site: Site) -> None:
    async def breaks() -> dict[str, Any]:
        raise LookupError("no prices")

    async def works() -> dict[str, Any]:
        return CLASSIC

    async def work(cache: AnalysisCache) -> list[Any]:
        tasks = (cache.get_or_compute("AAPL", breaks) for _ in range(3))
        errors = await asyncio.gather(*tasks, return_exceptions=True)
        return [*map(type, errors), await cache.get_or_compute("AAPL", works)]

    assert run(site, work) == [LookupError] * 3 + [CLASSIC]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1}])
def test_what_json_has_no_form_for_is_refused(site: Site, value: Any) -> None:
    with pytest.raises(BadInput, match="this cannot be cached as JSON"):
        run(site, lambda cache: cache.put("AAPL", {"score": value}))


@pytest.mark.parametrize("text", ["", "nothing", "[1]", '"text"', "\xff"])
def test_a_cached_text_that_is_no_object_is_a_counted_miss(site: Site, keys: redis.Redis, text: str) -> None:
    run(site, lambda cache: cache.put("AAPL", CLASSIC))
    keys.set(keys.keys()[0], text.encode("latin-1"))
    cache = Cache.of(site.redis, timeout=5)
    assert run(site, lambda each: each.get("AAPL"), cache) is None
    assert (cache.counts["wrong"], cache.counts["hits"]) == (1, 0)


def test_a_key_of_another_type_is_a_counted_miss_and_opens_no_circuit(site: Site, keys: redis.Redis) -> None:
    run(site, lambda cache: cache.put("AAPL", CLASSIC))
    [key] = keys.keys()
    keys.delete(key)
    keys.hset(key, "a", "b")
    cache = Cache.of(site.redis, timeout=5)

    async def work(each: AnalysisCache) -> list[Any]:
        return [await each.get("AAPL") for _ in range(5)]

    assert run(site, work, cache) == [None] * 5
    assert (cache.counts["wrong"], cache.is_skipped) == (5, False)


def test_one_service_is_passed_by_and_not_the_others(site: Site, keys: redis.Redis) -> None:
    async def work(cache: AnalysisCache) -> tuple[bool, ...]:
        before = await cache.falls_back("prediction")
        await cache.fall_back("prediction", "the primary: is away", 10)
        return before, await cache.falls_back("prediction"), await cache.falls_back("sentiment")

    assert run(site, work) == (False, True, False)
    assert 0 < keys.ttl("vfr:_shared:ml:fallback:prediction") <= 10


def test_asking_for_a_fallback_reads_one_key_and_no_list(site: Site, keys: redis.Redis) -> None:
    keys.config_resetstat()
    run(site, lambda cache: cache.falls_back("prediction"))
    used = keys.info("commandstats")
    assert (used["cmdstat_exists"]["calls"], "cmdstat_keys" in used, "cmdstat_scan" in used) == (1, False, False)


def test_health_is_known_for_half_a_minute(site: Site, keys: redis.Redis) -> None:
    async def work(cache: AnalysisCache) -> Any:
        await cache.report_health("prediction", {"status": "healthy", "models_loaded": 3})
        return await cache.health("prediction")

    at = int(site.now.timestamp() * 1000)
    assert run(site, work) == {"status": "healthy", "models_loaded": 3, "last_check": at}
    assert 0 < keys.ttl("vfr:_shared:ml:health:prediction") <= 30
    with pytest.raises(BadInput, match="give healthy, degraded or down"):
        run(site, lambda cache: cache.report_health("prediction", {"status": "fine"}))


def test_redis_away_finds_nothing_and_passes_no_service_by(site: Site) -> None:
    async def compute() -> dict[str, Any]:
        return CLASSIC

    async def work(cache: AnalysisCache) -> list[Any]:
        found = [await cache.get("AAPL"), await cache.put("AAPL", CLASSIC), await cache.falls_back("prediction")]
        return [*found, await cache.get_or_compute("AAPL", compute)]

    away = Cache.of(AWAY)
    assert run(site, work, away) == [None, False, False, CLASSIC]
    assert (away.counts["failed"], away.is_skipped) == (3, True)
    assert away.counts["skipped"] == 2


def test_the_last_hundred_latencies_of_an_hour_are_kept(site: Site, keys: redis.Redis) -> None:
    async def work(cache: Cache) -> tuple[float | None, float | None]:
        tracker = LatencyTracker(cache, lambda: site.now)
        none = await tracker.average("AAPL")
        for milliseconds in (1000.0, *[10.0] * 99, 20.0):
            await tracker.track("AAPL", milliseconds)
        return none, await tracker.average("AAPL")

    assert _with_cache(site, work, None) == (None, pytest.approx(10.1))
    [key] = keys.keys()
    assert (keys.llen(key), 0 < keys.ttl(key) <= 3600) == (100, True)


def test_a_latency_that_is_no_number_is_counted_and_left_out(site: Site, keys: redis.Redis) -> None:
    cache = Cache.of(site.redis, timeout=5)
    keys.rpush(f"vfr:_shared:ml:latency:AAPL:{int(site.now.timestamp()) // 3600}", "10", "soon", "nan", "20")
    assert _with_cache(site, lambda used: LatencyTracker(used, lambda: site.now).average("AAPL"), cache) == 15
    assert cache.counts["wrong"] == 2
    with pytest.raises(BadInput, match="give milliseconds, 0 or more"):
        _with_cache(site, lambda used: LatencyTracker(used).track("AAPL", float("nan")), None)
