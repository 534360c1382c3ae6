"""Reads of one moment share a round trip to Redis, and nothing else: each has its own answer, or goes alone."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from tests.data_path.conftest import AWAY, FEATURE, Site
from vfr_data.cache import Cache
from vfr_data.features import FeatureMatrix, FeatureRow, FeatureStore, reads

TICKERS = [f"T{n:02}" for n in range(20)]


def filled(site: Site) -> None:
    rows = [FeatureRow(each, site.now, FEATURE, float(n)) for n, each in enumerate(TICKERS)]
    site.run(lambda store: store.store_batch(rows))


def asked(site: Site, work: Callable[[FeatureStore], Awaitable[object]], cache: Cache) -> object:
    """What `work` gives with a store that knows the feature already."""

    async def whole(store: FeatureStore) -> object:
        await store.matrix(TICKERS[:1], [FEATURE])
        return await work(store)

    return site.run(whole, cache=cache)


async def all_at_once(store: FeatureStore) -> list[FeatureMatrix]:
    return await asyncio.gather(*(store.matrix([each], [FEATURE]) for each in TICKERS))


def commands(keys: redis.Redis) -> int:
    """Requests for fields that the server has seen."""
    return int(keys.info("commandstats").get("cmdstat_hmget", {"calls": 0})["calls"])


@pytest.mark.parametrize("fields", [5000, 3])
def test_each_of_many_callers_has_its_own_value(site: Site, monkeypatch: pytest.MonkeyPatch, fields: int) -> None:
    monkeypatch.setattr(reads, "FIELDS", fields)
    filled(site)
    cache = Cache.of(site.redis, timeout=5)
    found = asked(site, all_at_once, cache)
    assert isinstance(found, list)
    assert [(float(each.values[0, 0]), each.online) for each in found] == [(n, 1) for n in range(20)]
    assert cache.counts == Counter(hits=20)


def test_callers_of_one_moment_share_a_connection(site: Site, keys: redis.Redis) -> None:
    filled(site)
    keys.config_resetstat()
    cache = Cache.of(site.redis, timeout=5, connections=1)

    async def work(store: FeatureStore) -> None:
        await store.matrix(TICKERS[:1], [FEATURE])  # with a connection
        before = keys.info("stats")["total_reads_processed"]
        await all_at_once(store)
        # The question itself is the second.
        assert keys.info("stats")["total_reads_processed"] - before == 2

    asked(site, work, cache)
    assert commands(keys) == 1 + len(TICKERS)


def test_a_key_of_another_type_is_a_miss_of_its_caller_alone(site: Site, keys: redis.Redis) -> None:
    filled(site)
    [key] = [each for each in keys.scan_iter() if b":T03:" in each]
    keys.delete(key)
    keys.set(key, "text")
    cache = Cache.of(site.redis, timeout=5)
    found = asked(site, all_at_once, cache)
    assert isinstance(found, list)
    assert [float(each.values[0, 0]) for each in found] == list(range(20))
    assert [n for n, each in enumerate(found) if not each.online] == [3]
    assert cache.counts == Counter(hits=19, misses=1, wrong=1)


def test_a_caller_that_is_cancelled_leaves_the_others_theirs(site: Site) -> None:
    filled(site)

    async def work(store: FeatureStore) -> list[FeatureMatrix | BaseException]:
        tasks = [asyncio.create_task(store.matrix([each], [FEATURE])) for each in TICKERS]
        await asyncio.sleep(0)
        tasks[0].cancel()
        tasks[7].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    found = asked(site, work, Cache.of(site.redis, timeout=5))
    assert isinstance(found, list)
    assert [n for n, each in enumerate(found) if isinstance(each, asyncio.CancelledError)] == [0, 7]
    assert [float(each.values[0, 0]) for n, each in enumerate(found) if n not in (0, 7)] == [
        n for n in range(20) if n not in (0, 7)
    ]


def test_a_redis_that_is_away_is_passed_by_by_all(site: Site) -> None:
    filled(site)
    cache = Cache.of(AWAY)
    found = asked(site, all_at_once, cache)
    assert isinstance(found, list)
    assert [(float(each.values[0, 0]), each.online) for each in found] == [(n, 0) for n in range(20)]
    assert cache.counts == Counter(failed=1), "one round trip, one failure"


def test_a_loop_that_ended_before_a_read_was_sent_is_no_burden_for_the_next(site: Site) -> None:
    filled(site)
    cache = Cache.of(site.redis, timeout=5)
    store = reads.Reads(cache)

    asked_there = store.entries(["a"], [b"b"])
    loop = asyncio.new_event_loop()
    loop.call_soon(asked_there.send, None)
    loop.call_soon(loop.stop)
    loop.run_forever()
    asked_there.close()
    [task] = asyncio.all_tasks(loop)
    task.cancel()
    loop.run_until_complete(asyncio.wait([task]))
    loop.close()

    async def next_one() -> object:
        try:
            return await asyncio.wait_for(store.entries(["a"], [b"b"]), 5)
        finally:
            await cache.aclose()

    assert asyncio.run(next_one()) == [None]


def test_eager_tasks_read_too(site: Site) -> None:
    """As those of Python 3.12 and later, which begin where they are made."""
    filled(site)

    def eager(loop: asyncio.AbstractEventLoop, coroutine: Any, **given: Any) -> asyncio.Task[Any]:
        if coroutine.__name__ == "_send":
            assert coroutine.send(None) is None, "it waits for the loop alone"
        return asyncio.Task(coroutine, loop=loop, **given)

    async def work(store: FeatureStore) -> object:
        asyncio.get_running_loop().set_task_factory(eager)
        try:
            return await store.matrix(TICKERS[:3], [FEATURE])
        finally:
            asyncio.get_running_loop().set_task_factory(None)

    found = asked(site, work, Cache.of(site.redis, timeout=5))
    assert isinstance(found, FeatureMatrix)
    assert (found.values[:, 0].tolist(), found.online) == ([0, 1, 2], 3)


def test_a_shared_read_that_is_cancelled_is_a_miss_of_its_callers(site: Site) -> None:
    filled(site)

    async def work(store: FeatureStore) -> list[FeatureMatrix]:
        before = asyncio.all_tasks()
        asking = asyncio.gather(*(store.matrix([each], [FEATURE]) for each in TICKERS))
        while not (shared := {each for each in asyncio.all_tasks() if "_send" in repr(each)} - before):
            await asyncio.sleep(0)
        shared.pop().cancel()
        return [*(await asking), await store.matrix(TICKERS[:1], [FEATURE])]

    found = asked(site, work, Cache.of(site.redis, timeout=5))
    assert isinstance(found, list)
    assert [float(each.values[0, 0]) for each in found] == [*range(20), 0]
    assert [each.online for each in found] == [0] * 20 + [1]


def test_a_refusal_of_redis_is_counted(site: Site, keys: redis.Redis) -> None:
    filled(site)
    keys.execute_command("ACL", "SETUSER", "blind", "on", ">x", "~*", "+@all", "-hmget")
    cache = Cache.of(site.redis.replace("redis://", "redis://blind:x@", 1), timeout=5)
    try:
        found = asked(site, all_at_once, cache)
    finally:
        keys.execute_command("ACL", "DELUSER", "blind")
    assert isinstance(found, list)
    assert [float(each.values[0, 0]) for each in found] == list(range(20))
    assert cache.counts["failed"] == 1


def test_entries_that_are_whole_only_together_are_wrong(site: Site, keys: redis.Redis) -> None:
    filled(site)
    named = {key.split(b":T")[1][:2]: key for key in keys.scan_iter("*:T*")}
    keys.hset(named[b"00"], str(FEATURE), '{"value":0.0,"at":1},{"value":666')
    keys.hset(named[b"01"], str(FEATURE), '"at":1}')
    cache = Cache.of(site.redis, timeout=5)
    found = asked(site, lambda store: store.matrix(TICKERS, [FEATURE]), cache)
    assert isinstance(found, FeatureMatrix)
    assert found.values[:, 0].tolist() == list(range(20))
    assert (found.online, cache.counts["wrong"]) == (18, 2)
