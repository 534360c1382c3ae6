"""Tasks that are cancelled, event loops that are others, stores that are closed while they are used."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine
from datetime import timedelta
from typing import Any

import psycopg
import pytest
import redis

from tests.data_path.conftest import FEATURE, Site
from vfr_data.analysis import AnalysisCache
from vfr_data.cache import Cache
from vfr_data.database import Database
from vfr_data.errors import BadInput, OutcomeUnknown, PoolExhausted, StorageError
from vfr_data.features import FeatureRow, FeatureStore, online
from vfr_data.registry import ModelRegistry
from vfr_data.tasks import to_the_end, together

HOUR = timedelta(hours=1)


def row(site: Site, value: float, ticker: str = "AAPL") -> FeatureRow:
    return FeatureRow(ticker, site.now, FEATURE, value, 0.9, 0.9)


async def cancelled(work: Coroutine[Any, Any, object], when: asyncio.Event) -> None:
    """Begin it, and cancel it at that moment."""
    task = asyncio.create_task(work)
    await when.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_batch_that_is_cancelled_stores_nothing_and_leaves_its_connection_usable(
    site: Site, sql: psycopg.Connection
) -> None:
    async def work(database: Database, cache: Cache) -> None:
        store, begun = FeatureStore(database, cache, lambda: site.now), asyncio.Event()

        async def rows() -> AsyncIterator[FeatureRow]:
            for n in range(5000):
                yield row(site, 1.0, f"T{n}")
            begun.set()
            await asyncio.Event().wait()

        for _ in range(6):  # more than the pool has
            await cancelled(store.store_batch(rows()), begun)
            begun.clear()
        assert (await store.store_batch([row(site, 2.0)])).stored == 1

    site.run_with(work)
    assert sql.execute("SELECT ticker, value::float8 FROM ml_feature_store").fetchall() == [("AAPL", 2.0)]


def test_one_who_is_cancelled_after_the_commit_leaves_no_older_value_in_redis(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(database: Database, cache: Cache) -> None:
        store, filling, go = FeatureStore(database, cache, lambda: site.now), asyncio.Event(), asyncio.Event()
        await store.store_batch([row(site, 1.0)])
        real = online.write

        async def slow(*given: Any) -> bool:
            filling.set()
            await go.wait()
            return await real(*given)

        monkeypatch.setattr(online, "write", slow)
        await cancelled(store.store_batch([row(site, 2.0)]), filling)
        go.set()
        await store.matrix(["AAPL"], [FEATURE])  # the types of features are known now
        async with asyncio.timeout(10):
            while (found := await store.matrix(["AAPL"], [FEATURE])).values[0, 0] != 2.0:
                await asyncio.sleep(0)
        assert found.online == 1

    site.run_with(work)


def test_reads_that_are_cancelled_do_not_get_one_anothers_answers(site: Site) -> None:
    async def work(database: Database, cache: Cache) -> None:
        store = FeatureStore(database, cache, lambda: site.now)
        tickers = [f"T{n}" for n in range(8)]
        await store.store_batch([row(site, float(n), each) for n, each in enumerate(tickers)])
        for turn in range(60):
            tasks = [asyncio.create_task(store.matrix([each], [FEATURE])) for each in tickers]
            for _ in range(turn % 12):
                await asyncio.sleep(0)
            for each in tasks[::2]:
                each.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            for n, each in enumerate(found):
                assert isinstance(each, asyncio.CancelledError) or each.values[0, 0] == n  # type: ignore[union-attr]
            assert not isinstance(found[1], BaseException)

    site.run_with(work)


def test_an_analysis_that_was_put_while_an_older_one_was_computed_stays(site: Site) -> None:
    async def work(_: Database, cache: Cache) -> None:
        analyses = AnalysisCache(cache, lambda: site.now)

        async def compute() -> dict[str, Any]:
            await analyses.put("AAPL", {"score": 2})
            return {"score": 1}

        assert await analyses.get_or_compute("AAPL", compute) == {"score": 1}
        assert await analyses.get("AAPL") == {"score": 2}

    site.run_with(work)


@pytest.mark.parametrize("broken", ["[1]", "no JSON", "[" * 100_000])
def test_a_cached_analysis_that_is_broken_is_replaced(site: Site, keys: redis.Redis, broken: str) -> None:
    async def work(_: Database, cache: Cache) -> None:
        analyses = AnalysisCache(cache, lambda: site.now)
        await analyses.put("AAPL", {"score": 1})
        [key] = keys.keys()
        keys.set(key, broken)

        async def compute() -> dict[str, Any]:
            return {"score": 2}

        assert await analyses.get_or_compute("AAPL", compute) == {"score": 2}
        assert await analyses.get("AAPL") == {"score": 2}
        keys.delete(key)
        keys.lpush(key, "another type")
        assert await analyses.get_or_compute("AAPL", compute) == {"score": 2}
        assert await analyses.get("AAPL") == {"score": 2}

    site.run_with(work)


def test_a_model_that_is_changed_while_it_is_loaded_is_not_kept_as_it_was(site: Site, sql: psycopg.Connection) -> None:
    [(model, old)] = sql.execute("SELECT model_id, hyperparameters FROM ml_models ORDER BY 1 LIMIT 1").fetchall()

    class Changing(Cache):
        """Between the reading of PostgreSQL and the keeping, somebody changes the model and has it forgotten."""

        changed = False

        async def set(self, key: str, value: Any, ttl: int) -> bool:
            if not self.changed:
                self.changed = True
                sql.execute("UPDATE ml_models SET hyperparameters = '{\"depth\": 9}' WHERE model_id = %s", [model])
                await self.ask(lambda client: client.unlink(key))
            return await super().set(key, value, ttl)

    async def work(database: Database, cache: Cache) -> None:
        registry = ModelRegistry(database, Changing(cache.client))
        assert (await registry.load(model)).hyperparameters == {"depth": 9}
        assert (await ModelRegistry(database, cache).load(model)).hyperparameters == {"depth": 9}
        assert cache.counts["hits"] == 1

    try:
        site.run_with(work)
    finally:
        sql.execute("UPDATE ml_models SET hyperparameters = %s WHERE model_id = %s", [json.dumps(old), model])


def test_stores_of_another_event_loop_say_so(site: Site) -> None:
    async def used(database: Database, cache: Cache) -> None:
        await FeatureStore(database, cache, lambda: site.now).store_batch([row(site, 1.0)])

        async def elsewhere() -> None:
            with pytest.raises(BadInput, match="another event loop"):
                await cache.get("key")
            with pytest.raises(BadInput, match="in no event loop, or in another"):
                async with database.transaction():
                    pass

        await asyncio.to_thread(lambda: asyncio.run(elsewhere()))

    site.run_with(used)


def test_a_cache_that_is_closed_under_a_call_is_a_miss_and_may_be_used_in_another_loop(site: Site) -> None:
    cache = Cache.of(site.redis, timeout=5)

    async def work() -> None:
        waiting = asyncio.create_task(cache.ask(lambda client: client.blpop(["nothing"], timeout=4)))
        while not cache.client.connection_pool._in_use_connections:  # type: ignore[attr-defined]
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        await cache.aclose()
        assert await waiting is None
        assert cache.counts["failed"] == 1

    asyncio.run(work())

    async def again() -> None:
        assert await cache.set("key", {"a": 1}, 60)
        assert await cache.get("key") == {"a": 1}
        await cache.aclose()

    asyncio.run(again())


def test_a_database_that_is_closed_ends_what_is_under_way_and_refuses_the_rest(
    site: Site, sql: psycopg.Connection
) -> None:
    async def work() -> None:
        database = site.database()
        begun, closed = asyncio.Event(), asyncio.Event()

        async def rows() -> AsyncIterator[FeatureRow]:
            yield row(site, 1.0)
            begun.set()
            await closed.wait()

        async with database:
            task = asyncio.create_task(FeatureStore(database).store_batch(rows()))
            await begun.wait()
        closed.set()
        assert (await task).stored == 1
        with pytest.raises(BadInput, match="open in no event loop"):
            await FeatureStore(database).matrix(["AAPL"], [FEATURE])

    asyncio.run(work())
    assert sql.execute("SELECT count(*) FROM ml_feature_store").fetchone() == (1,)


def test_one_who_waits_for_a_connection_when_the_database_is_closed_is_refused(site: Site) -> None:
    async def work() -> None:
        database = site.database(wait_seconds=5)

        async def ask() -> None:
            async with database.transaction():
                pass

        async with database:
            held = [database.transaction() for _ in range(4)]
            for each in held:
                await each.__aenter__()
            waiting = asyncio.create_task(ask())
            await asyncio.sleep(0.05)
        with pytest.raises(StorageError, match="closed meanwhile"):
            await waiting
        for each in held:
            await each.__aexit__(None, None, None)

    asyncio.run(work())


def test_of_several_that_are_asked_at_once_none_is_left_behind() -> None:
    ended: list[str] = []

    async def fails() -> None:
        await asyncio.sleep(0)
        raise PoolExhausted("none")

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    async def work() -> None:
        with pytest.raises(PoolExhausted):
            await together(waits(), fails())
        assert ended == ["waits"]
        outer = asyncio.create_task(together(waits(), waits()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        outer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await outer
        assert ended == ["waits"] * 3

    asyncio.run(work())


def test_work_that_goes_on_to_its_end_tells_its_caller_what_it_raised() -> None:
    async def fails() -> None:
        raise StorageError("away")

    with pytest.raises(StorageError):
        asyncio.run(to_the_end(fails()))


def test_a_connection_that_the_server_ended_while_it_was_idle_is_replaced_unseen(
    site: Site, sql: psycopg.Connection
) -> None:
    ended = """
    SELECT pg_terminate_backend(pid, 5000), pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    """

    async def work(database: Database, _: Cache) -> tuple[list[Any], int]:
        async with database.transaction():
            pass
        gone = sql.execute(ended).fetchall()
        async with database.transaction() as connection:
            return gone, connection.info.backend_pid

    gone, used = site.run_with(work)
    assert gone, "the pool has a connection"
    assert used not in {each for _, each in gone}


@pytest.mark.parametrize("times", [40])
def test_late_rows_beside_a_rewrite_leave_in_redis_what_postgres_has(site: Site, times: int) -> None:
    async def work(database: Database, cache: Cache) -> None:
        store, plain = FeatureStore(database, cache, lambda: site.now), FeatureStore(database, None, lambda: site.now)
        tickers = [f"T{n}" for n in range(10)]

        def rows(seconds: int, value: float) -> list[FeatureRow]:
            return [FeatureRow(each, site.now - timedelta(seconds=seconds), FEATURE, value) for each in tickers]

        await store.store_batch(rows(5, 1.0))
        for n in range(times):
            await asyncio.gather(*(store.store_batch(rows(seconds, 2.0 + n)) for seconds in (5, 9, 10)))
            cached = await store.matrix(tickers, [FEATURE])
            assert cached.values.tolist() == (await plain.matrix(tickers, [FEATURE])).values.tolist(), n

    site.run_with(work)


@pytest.mark.parametrize("reached", [False, True])
def test_one_who_ends_at_the_commit_leaves_no_older_value_in_redis(
    site: Site, monkeypatch: pytest.MonkeyPatch, reached: bool
) -> None:
    """Whether the server took the COMMIT or not; as after a kill, nothing follows."""

    async def work(database: Database, cache: Cache) -> None:
        store, plain = FeatureStore(database, cache, lambda: site.now), FeatureStore(database, None, lambda: site.now)
        await store.store_batch([row(site, 1.0)])
        await store.matrix(["AAPL"], [FEATURE])
        real = psycopg.AsyncConnection.commit

        async def lost(connection: psycopg.AsyncConnection[object]) -> None:
            if reached:
                await real(connection)
            raise psycopg.OperationalError("the connection is lost")

        monkeypatch.setattr(psycopg.AsyncConnection, "commit", lost)
        with pytest.raises(OutcomeUnknown, match="All of it is stored, or nothing; look before it is sent again"):
            await store.store_batch([row(site, 2.0)])
        monkeypatch.undo()
        before = cache.counts["wrong"]
        assert (await store.matrix(["AAPL"], [FEATURE])).values[0, 0] == (2.0 if reached else 1.0)
        assert (await plain.matrix(["AAPL"], [FEATURE])).values[0, 0] == (2.0 if reached else 1.0)
        assert cache.counts["wrong"] == before, "what was withdrawn is a plain miss"
        await store.store_batch([row(site, 3.0)])
        assert (await store.matrix(["AAPL"], [FEATURE])).online == 1

    site.run_with(work)


def test_a_batch_that_is_cancelled_at_the_commit_gets_into_redis(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work(database: Database, cache: Cache) -> None:
        store, ending, go = FeatureStore(database, cache, lambda: site.now), asyncio.Event(), asyncio.Event()
        await store.store_batch([row(site, 1.0)])
        await store.matrix(["AAPL"], [FEATURE])
        real = psycopg.AsyncConnection.commit

        async def slow(connection: psycopg.AsyncConnection[object]) -> None:
            ending.set()
            await go.wait()
            await real(connection)

        monkeypatch.setattr(psycopg.AsyncConnection, "commit", slow)
        await cancelled(store.store_batch([row(site, 2.0)]), ending)
        go.set()
        monkeypatch.undo()
        async with asyncio.timeout(10):
            while (found := await store.matrix(["AAPL"], [FEATURE])).online != 1:
                await asyncio.sleep(0)
        assert found.values[0, 0] == 2.0

    site.run_with(work)


def test_a_cache_that_was_closed_is_asked_no_more(site: Site) -> None:
    async def work() -> None:
        cache = Cache.of(site.redis, timeout=5)
        assert await cache.set("key", {"a": 1}, 60)
        await cache.aclose()
        assert await cache.get("key") is None
        assert (cache.counts["skipped"], cache.counts["misses"]) == (1, 1)

    asyncio.run(work())


@pytest.mark.parametrize("closed", [True, False])
def test_what_fails_in_the_client_is_a_counted_failure_where_it_was_closed(site: Site, closed: bool) -> None:
    """As redis-py fails whose connection is closed while it is being made; any other time it is a fault to be seen."""

    async def work() -> None:
        cache = Cache.of(site.redis, timeout=5)

        async def broken(_client: object) -> None:
            if closed:
                await cache.aclose()
            raise AttributeError("'NoneType' object has no attribute 'writelines'")

        if closed:
            assert await cache.ask(broken) is None
            assert cache.counts["failed"] == 1
        else:
            with pytest.raises(AttributeError):
                await cache.ask(broken)

    asyncio.run(work())


@pytest.mark.parametrize("number", [2**64 + 1, -(2**63) - 1, 10**400, 12345678901234567890123])
def test_an_integer_of_any_size_comes_back_as_it_was(site: Site, number: int) -> None:
    async def work() -> None:
        cache = Cache.of(site.redis, timeout=5)
        assert await cache.set("key", {"n": number, "half": "\ud800"}, 60)
        assert await cache.get("key") == {"n": number, "half": "\ud800"}
        deep: dict[str, object] = {}
        for _ in range(100_000):
            deep = {"a": deep}
        with pytest.raises(BadInput):
            await cache.set("key", deep, 60)
        await cache.aclose()

    asyncio.run(work())
