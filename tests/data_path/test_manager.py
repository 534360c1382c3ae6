"""The cache as a whole: warmed, measured, and freed of what nobody reads."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
import redis

from tests.data_path.conftest import AWAY, Result, Site
from tests.vfr.factories.redis import families, write
from vfr_data.cache import Cache
from vfr_data.catalogue import FAMILIES
from vfr_data.errors import BadInput
from vfr_data.manager import CacheManager, FamilyStatistics, Warmed, family_of


def run(site: Site, work: Callable[[CacheManager], Awaitable[Result]], url: str | None = None) -> Result:
    async def whole() -> Result:
        cache = Cache.of(url or site.redis, timeout=5)
        try:
            return await work(CacheManager(cache))
        finally:
            await cache.aclose()

    return asyncio.run(whole())


def test_warming_goes_on_when_one_fails_and_keeps_to_its_concurrency(site: Site, keys: redis.Redis) -> None:
    running, most, told = 0, 0, []

    async def load(key: int) -> None:
        nonlocal running, most
        running, most = running + 1, max(most, running + 1)
        await asyncio.sleep(0.001)
        running -= 1
        if key == 3:
            raise LookupError("no such model")

    found = run(site, lambda manager: manager.warm("prediction", range(20), load, concurrency=4, progress=told.append))
    assert found == Warmed(19, {"LookupError": 1})
    assert (most, told) == (4, [*range(1, 21)])
    assert keys.get("vfr:_shared:ml:warming:prediction") == b"cold"
    assert 0 < keys.ttl("vfr:_shared:ml:warming:prediction") <= 60


def test_warming_tells_its_state_while_it_runs_and_when_it_is_done(site: Site, keys: redis.Redis) -> None:
    seen = []

    async def load(_: str) -> None:
        seen.append(keys.get("vfr:_shared:ml:warming:prediction"))

    run(site, lambda manager: manager.warm("prediction", ["AAPL"], load))
    assert [*seen, keys.get("vfr:_shared:ml:warming:prediction")] == [b"warming", b"warm"]


def test_every_shipped_family_is_recognized_by_its_keys(keys: redis.Redis) -> None:
    assert {name: family_of(write(keys, name, "acme")) for name in families()} == {name: name for name in FAMILIES}
    assert [family_of(each) for each in ("vfr:x", b"\xff", "vfr:acme:prob:l1:AAPL:1:2")] == ["other"] * 3


def test_statistics_tell_keys_and_size_by_family(site: Site, keys: redis.Redis) -> None:
    for symbol in ("AAPL", "MSFT"):
        keys.set(FAMILIES["analysis_classic"].key(site.now, symbol=symbol), "{}", ex=60)
    keys.set("something", "else")
    found = run(site, lambda manager: manager.statistics())
    assert found is not None
    assert {name: (each.keys, each.without_expiry) for name, each in found.items()} == {
        "analysis_classic": (2, 0),
        "other": (1, 1),
    }
    assert all(isinstance(each, FamilyStatistics) and each.mean_bytes > 10 for each in found.values())
    assert run(site, lambda manager: manager.statistics(), AWAY) is None


def test_statistics_stop_at_their_sample(site: Site, keys: redis.Redis) -> None:
    keys.mset({f"key:{n}": "x" for n in range(3000)})
    found = run(site, lambda manager: manager.statistics(sample=500))
    assert found is not None
    assert found["other"].keys < 1500


def test_eviction_takes_no_more_than_its_budget_and_of_its_family_only(site: Site, keys: redis.Redis) -> None:
    for n in range(10):
        keys.set(FAMILIES["analysis_classic"].key(site.now, symbol=f"T{n}"), "{}", ex=60)
    keys.set("something", "else")
    cold = [("analysis_classic", 3600, 5), ("analysis_classic", 0, 4), ("analysis_classic", 0, 100)]
    removed = [
        run(site, lambda manager, each=each: manager.evict_cold(each[0], idle_seconds=each[1], budget=each[2]))
        for each in cold
    ]
    assert (removed, keys.keys()) == ([0, 4, 6], [b"something"])
    with pytest.raises(BadInput, match="there is no family 'analysis'; give one of analysis_classic, "):
        run(site, lambda manager: manager.evict_cold("analysis", idle_seconds=0, budget=1))


def test_warming_the_cache_asks_for_all_keys_nowhere(site: Site, keys: redis.Redis) -> None:
    keys.config_resetstat()
    run(site, lambda manager: manager.statistics())
    run(site, lambda manager: manager.evict_cold("model", idle_seconds=0, budget=1))
    assert "cmdstat_keys" not in keys.info("commandstats")
