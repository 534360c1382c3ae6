"""Jobs of maintenance on Redis: streams, lists and sorted sets are kept short, keys get their time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import redis

from provision.errors import ConfigError
from provision.model.maintain import Job, Pace, RunState, Schedule
from provision.stores.redis.store import RedisStore

HOURLY = Schedule(1, Pace.HOUR, 0)


def job(body: Any) -> Job:
    return Job("trim", "redis", "trim", body, HOURLY, "maintain.yaml:2:3")


def done(store: RedisStore, body: Any) -> list[str]:
    wanted = job(body)
    return [store.upkeep.carry_out(wanted, each, lambda _: None, 0) for each in store.upkeep.tasks(wanted)]


def test_the_newest_entries_stay(make: Callable[..., RedisStore], client: redis.Redis) -> None:
    store = make(project="test")
    for number in range(1000):
        client.xadd("app:stream", {"n": number})
        client.lpush("app:list", number)
        client.zadd("app:set", {f"m{number}": number})
    client.set("app:text", "stays")
    client.rpush("other:list", *range(20))

    [said] = done(store, {"keys": "app:*", "length": 10})

    assert client.lrange("app:list", 0, -1) == [str(each) for each in range(999, 989, -1)]
    assert client.zrange("app:set", 0, -1) == [f"m{each}" for each in range(990, 1000)]
    assert 10 <= client.xlen("app:stream") <= 110  # whole nodes of 100
    assert client.xrevrange("app:stream", count=1)[0][1] == {"n": "999"}
    assert (client.get("app:text"), client.llen("other:list")) == ("stays", 20)
    assert said.endswith("of 3 keys removed")
    assert done(store, {"keys": "app:*", "length": 10}) == [""]


def test_what_the_migrations_declare_is_kept(make: Callable[..., RedisStore], client: redis.Redis) -> None:
    store = make(project="test")
    client.hset("provision:test:streams", "app:events", json.dumps({"maxlen": 100}))
    client.hset("provision:test:key_families", "prefs", json.dumps({"pattern": "app:{user}:prefs", "ttl": 60}))
    client.hset("provision:test:key_families", "kept", json.dumps({"pattern": "app:{user}:kept", "ttl": None}))
    for number in range(1000):
        client.xadd("app:events", {"n": number})
    client.mset({"app:1:prefs": "a", "app:1:kept": "b"})
    client.set("app:2:prefs", "c", ex=7)

    said = done(store, "declared")

    assert 100 <= client.xlen("app:events") <= 200
    assert said[1] == "1 key had no time and got 60 s"
    assert 0 < client.ttl("app:1:prefs") <= 60
    assert client.ttl("app:2:prefs") <= 7
    assert client.ttl("app:1:kept") == -1


def test_provisions_own_keys_are_passed_by(make: Callable[..., RedisStore], client: redis.Redis) -> None:
    store = make(project="test")
    client.xadd("provision:test:ledger:redis", {"a": 1})
    client.xadd("provision:test:ledger:redis", {"a": 2})

    assert done(store, {"keys": "*", "length": 1}) == [""]

    assert client.xlen("provision:test:ledger:redis") == 2
    with pytest.raises(ConfigError, match="the keys provision:\\* are provision's own"):
        store.upkeep.tasks(job({"keys": "provision:*", "length": 1}))


def test_runs_are_kept_with_how_they_ended(make: Callable[..., RedisStore], client: redis.Redis) -> None:
    store = make(project="test")
    store.upkeep.end(store.upkeep.begin(job("declared")), "")
    store.upkeep.end(store.upkeep.begin(job("declared")), "it broke")
    store.upkeep.begin(job("declared"))

    runs = store.upkeep.runs(10)

    assert [(each.state, each.error) for each in runs] == [
        (RunState.RUNNING, ""), (RunState.FAILED, "it broke"), (RunState.DONE, ""),
    ]  # fmt: skip
    assert [each.state for each in store.upkeep.runs(1)] == [RunState.RUNNING]
    assert client.type("provision:test:maintenance:redis") == "stream"
