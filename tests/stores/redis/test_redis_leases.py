"""Leases: rivals, expiry by the server's clock, tokens that are never given out twice."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis

from provision.errors import ConfigError
from provision.kinds import build
from provision.model import Heartbeat, Owner, StoreOptions
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_servers import Engine

Make = Callable[..., RedisStore]
ME, YOU = Owner("me@here", 1, "p1", "up", "abc", "https://ci/1"), Owner("you@there", 2)

RIVAL = """
import sys
from pathlib import Path
import redis
from provision.model import Owner, StoreOptions
from provision.kinds import build
url, who = sys.argv[1], int(sys.argv[2])
store = build(StoreOptions("redis", "redis", "vfr", Path("redis"), Path(".")))
store.open(url)
client, done = redis.Redis.from_url(url), 0
while done < 10:
    held = store.leases.take("run", Owner("rival", who), 30, 0)
    if held.owner.pid == who:
        count = int(client.get("count") or 0)
        client.rpush("tokens", held.token)
        client.set("count", count + 1)
        assert store.leases.release("run", held.owner, held.token)
        done += 1
store.close()
client.close()
"""


def test_take_free_lease_is_ours(make: Make) -> None:
    leases = make().leases
    held = leases.take("run", ME, 30, 0)
    assert (held.name, held.owner, held.token) == ("run", ME, 1)
    assert 29 < held.expires_in <= 30
    read = leases.read("run")
    assert (read.owner, read.token, read.taken_at) == (ME, 1, held.taken_at)


def test_take_held_lease_returns_the_holder(make: Make) -> None:
    leases = make().leases
    leases.take("run", ME, 30, 0)
    assert leases.take("run", YOU, 30, 50).owner == ME
    assert leases.take("backfill/x", YOU, 30, 0).owner == YOU


def test_take_expired_lease_raises_the_token(make: Make, client: redis.Redis) -> None:
    leases = make().leases
    leases.take("run", ME, 30, 0)
    client.hset("provision:vfr:lease:run", "expires", "1000")
    assert leases.read("run").expires_in < 0
    held = leases.take("run", YOU, 30, 0)
    assert (held.owner, held.token) == (YOU, 2)
    assert leases.extend("run", ME, 1, 30) is Heartbeat.LOST
    assert leases.release("run", ME, 1) is False
    assert leases.read("run").owner == YOU


def test_take_above_floor_and_after_release(make: Make) -> None:
    leases = make().leases
    assert leases.take("run", ME, 30, 41).token == 42
    assert leases.release("run", ME, 42) is True
    assert leases.read("run") is None
    assert leases.take("run", YOU, 30, 7).token == 43


def test_extend_by_the_holder_moves_the_expiry(make: Make, client: redis.Redis) -> None:
    leases = make().leases
    leases.take("run", ME, 1, 0)
    assert leases.extend("run", ME, 1, 90) is Heartbeat.KEPT
    assert leases.read("run").expires_in > 80
    client.hset("provision:vfr:lease:run", "expires", "1000")
    assert leases.extend("run", ME, 1, 90) is Heartbeat.KEPT, "expired, but nobody else took it"


def test_read_writes_nothing(make: Make, client: redis.Redis) -> None:
    assert make().leases.read("run") is None
    assert client.dbsize() == 0


@pytest.mark.usefixtures("client")
def test_take_five_threads_one_wins_each_round(engine: Engine, tmp_path: Path) -> None:
    stores = [build(StoreOptions("redis", "redis", "vfr", tmp_path, tmp_path)) for _ in range(5)]
    for store in stores:
        store.open(engine.url)
    with ThreadPoolExecutor(5) as pool:
        for number in range(40):
            held = list(pool.map(lambda at: stores[at].leases.take("run", Owner("t", at), 30, 0), range(5)))
            assert {(each.owner.pid, each.token) for each in held} == {(held[0].owner.pid, number + 1)}
            assert stores[0].leases.release("run", held[0].owner, number + 1)
    for store in stores:
        store.close()


def test_take_five_processes_never_two_at_once(engine: Engine, client: redis.Redis) -> None:
    rivals = [subprocess.Popen([sys.executable, "-c", RIVAL, engine.url, str(who)]) for who in range(5)]
    assert [rival.wait(60) for rival in rivals] == [0] * 5
    assert client.get("count") == "50"
    tokens = [int(each) for each in client.lrange("tokens", 0, -1)]
    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_home_that_evicts_is_refused(make: Make, client: redis.Redis, policy: str) -> None:
    store = make()
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", policy)
    try:
        for attempt in (store.leases.create, lambda: store.leases.take("run", ME, 30, 0)):
            with pytest.raises(ConfigError) as caught:
                attempt()
            assert caught.value.code == "home-evicts"
            assert caught.value.what == f"this server may throw leases away: maxmemory-policy is {policy}"
            assert caught.value.fix == "set maxmemory-policy to noeviction, or name another home in provision.toml"
        client.config_set("maxmemory-policy", "noeviction")
        store.leases.create()
    finally:
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "0")
    assert client.dbsize() == 0
