"""Loops over 20,000 keys: bounded pages, other clients are served in between, nothing of provision's own is touched."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from provision.errors import StatementFailed
from provision.model import EventKind, Step
from provision.model.statements import Mark
from provision.stores.redis.server import PAGE
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_servers import event

Make = Callable[..., RedisStore]
MANY = 20_000


@pytest.fixture
def many(client: redis.Redis) -> redis.Redis:
    for start in range(0, MANY, 5000):
        client.mset({f"old:{number}:x": number for number in range(start, start + 5000)})
    client.mset({"other": "kept", "provision:vfr:mine": "kept"})
    client.config_resetstat()
    client.config_set("slowlog-log-slower-than", "50000")
    client.slowlog_reset()
    return client


def run(make: Make, body: str) -> RedisStore:
    store = make(f"up:\n  - {body}\ndown: {{irreversible: test}}\n")
    (statement,) = store.statements.of(Step(store.revisions()[0]))
    store.statements.advance(statement, Mark("vfr", 1, "redis/0001", 1), event(EventKind.APPLIED), None)
    return store


def bounded(client: redis.Redis) -> None:
    calls = client.info("commandstats")
    assert "cmdstat_keys" not in calls
    assert MANY / PAGE <= calls["cmdstat_eval"]["calls"] <= MANY / PAGE * 3
    assert [each for each in client.slowlog_get() if b"KEYS" in each["command"].upper()] == []
    assert client.get("other") == client.get("provision:vfr:mine") == "kept"


def test_delete_keys(make: Make, many: redis.Redis) -> None:
    run(make, "delete_keys: {pattern: 'old:*'}")
    bounded(many)
    assert sorted(many.keys("*")) == ["other", "provision:vfr:ledger:redis", "provision:vfr:mine"]


def test_rename_keys_maps_each_star(make: Make, many: redis.Redis) -> None:
    run(make, "rename_keys: {pattern: 'old:*:*', to: 'vfr:{t}:*:*'}")
    bounded(many)
    assert many.dbsize() == MANY + 3
    assert many.get("vfr:{t}:12345:x") == "12345"


def test_rename_keys_taken_target_moves_nothing(make: Make, many: redis.Redis) -> None:
    many.set("new:777:x", "there")
    with pytest.raises(StatementFailed, match="old:777:x cannot become new:777:x, which is there already"):
        run(make, "rename_keys: {pattern: 'old:*', to: 'new:*'}")
    assert many.get("new:777:x") == "there"
    assert sum(1 for _ in many.scan_iter("old:*", count=5000)) == MANY


def test_set_ttl_missing_and_all(make: Make, many: redis.Redis) -> None:
    many.expire("old:5:x", 9000)
    run(make, "set_ttl: {pattern: 'old:*', ttl: 10m}")
    bounded(many)
    assert many.ttl("old:5:x") > 8900
    assert 590 < many.ttl("old:6:x") <= 600
    assert many.ttl("other") == -1


def test_delete_keys_that_are_not_utf8(make: Make, client: redis.Redis) -> None:
    client.set(b"bin:\xff\x00\xfe", "1")
    client.set("bin:plain", "1")
    run(make, "delete_keys: {pattern: 'bin:*'}")
    assert client.keys("bin:*") == []
