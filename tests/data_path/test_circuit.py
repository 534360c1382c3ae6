"""A server that fails is left alone, and used again when it answers; a pool says what is wrong with it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from redis.exceptions import ConnectionError as Away

from tests.data_path.conftest import Site
from vfr_data.cache import Cache, Client
from vfr_data.circuit import Circuit
from vfr_data.database import Database
from vfr_data.errors import BadInput, PoolExhausted, StorageError


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_circuit_opens_after_failures_in_a_row_only() -> None:
    circuit = Circuit(failures=3, pause=5, clock=Clock())
    for _ in range(5):
        circuit.failed()
        circuit.failed()
        circuit.succeeded()
    assert circuit.allows()


def test_an_open_circuit_lets_one_try_after_each_pause_and_closes_when_that_succeeds() -> None:
    clock = Clock()
    circuit = Circuit(failures=2, pause=5, clock=clock)
    circuit.failed()
    circuit.failed()
    assert [circuit.allows(), circuit.is_open] == [False, True]
    clock.now = 5
    assert [circuit.allows(), circuit.allows()] == [True, False]
    circuit.failed()
    clock.now = 9.9
    assert not circuit.allows()
    clock.now = 10
    assert circuit.allows()
    circuit.succeeded()
    assert [circuit.allows(), circuit.allows(), circuit.is_open] == [True, True, False]


def test_a_cache_asks_a_redis_that_failed_again_and_then_uses_it(site: Site) -> None:
    clock, fails = Clock(), [True]

    async def call(client: Client) -> Any:
        if fails[0]:
            raise Away("connection refused")
        return await client.ping()

    async def work() -> list[Any]:
        cache = Cache(Cache.of(site.redis, timeout=5).client, Circuit(2, 5, clock))
        found = [await cache.ask(call) for _ in range(4)]
        fails[0], clock.now = False, 5
        found += [await cache.ask(call) for _ in range(2)]
        counts = [cache.counts[each] for each in ("failed", "skipped")]
        await cache.aclose()
        return [found, counts]

    assert asyncio.run(work()) == [[None] * 4 + [True] * 2, [2, 2]]


def test_a_pool_without_a_free_connection_says_so(site: Site) -> None:
    async def work() -> None:
        async with Database(site.postgres, size=1, wait_seconds=0.2) as database:
            first, second = database.transaction(), database.transaction()
            async with first, second:
                raise AssertionError("there were two connections")

    with pytest.raises(PoolExhausted, match=r"within 0.2 s: all 1 are in use; make transactions shorter"):
        asyncio.run(work())


@pytest.mark.parametrize("url", ["postgresql://x@127.0.0.1:1/none", "nonsense url"])
def test_a_server_that_is_not_there_and_a_wrong_url_are_told_apart(url: str) -> None:
    async def work() -> None:
        async with Database(url, wait_seconds=0.3) as database, database.transaction():
            raise AssertionError("there was a connection")

    away = url != "nonsense url"
    expected = (
        (PoolExhausted, "Connection refused; look at the server")
        if away
        else (BadInput, "this is no url of PostgreSQL")
    )
    with pytest.raises(expected[0], match=expected[1]):
        asyncio.run(work())


def test_a_missing_right_says_what_to_do(site: Site) -> None:
    async def work() -> None:
        async with Database(site.postgres) as database, database.transaction() as connection:
            await connection.execute("SET LOCAL ROLE pg_monitor")
            await connection.execute("SELECT FROM ml_feature_store")

    with pytest.raises(StorageError, match=r"permission denied .*; give the role the right"):
        asyncio.run(work())


def test_a_statement_that_takes_too_long_is_ended(site: Site) -> None:
    async def work() -> None:
        database = Database(site.postgres, size=1, statement_seconds=0.05)
        async with database, database.transaction() as connection:
            await connection.execute("SELECT pg_sleep(60)")

    with pytest.raises(StorageError, match="canceling statement due to statement timeout"):
        asyncio.run(work())


def test_a_pooled_connection_keeps_no_tenant(site: Site) -> None:
    async def work() -> list[Any]:
        found = []
        async with Database(site.postgres, size=1) as database:
            for tenant in ("acme", None, "globex"):
                async with database.transaction(tenant) as connection:
                    asked = await connection.execute("SELECT pg_backend_pid(), current_setting('app.tenant', true)")
                    found.append(await asked.fetchone())
        return found

    found = asyncio.run(work())
    assert len({each[0] for each in found}) == 1
    assert [each[1] or None for each in found] == ["acme", None, "globex"]
