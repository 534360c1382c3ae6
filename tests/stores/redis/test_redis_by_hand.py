"""Thirteen changes of Redis behind the tool's back are told, nothing else is, and none once they are undone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import redis

from provision.model import StoreOptions
from provision.stores.redis.names import Keys
from provision.stores.redis.setup.snapshot import taken
from tests.stores.by_hand import told
from tests.stores.redis.redis_servers import Engine

KEYS = Keys("vfr", "redis")
FAMILY = {"pattern": "user:{id}", "description": "a user", "type": "hash", "ttl": "1h", "owner": "me"}
LISTPACK = "hash-max-ziplist-entries"  # by the name that 6.2 has and later ones still take
Change = Callable[[redis.Redis], object]
CHANGES: tuple[tuple[Change, Change, str], ...] = (
    (lambda c: c.xadd("late", {"a": 1}), lambda c: c.delete("late"), "create_stream late"),
    (lambda c: c.delete("gone"), lambda c: c.xadd("gone", {"a": 1}), "create_stream gone"),
    (lambda c: c.xgroup_create("events", "x", id="0"), lambda c: c.xgroup_destroy("events", "x"), "create_group x"),
    (lambda c: c.xgroup_destroy("events", "old"), lambda c: c.xgroup_create("events", "old", id="0"), "old"),
    (lambda c: c.rename("events", "events2"), lambda c: c.rename("events2", "events"), "events"),
    (
        lambda c: c.hset(KEYS.families, "new", json.dumps({**FAMILY, "pattern": "cart:{id}"})),
        lambda c: c.hdel(KEYS.families, "new"),
        "new",
    ),
    (
        lambda c: c.hdel(KEYS.families, "users"),
        lambda c: c.hset(KEYS.families, "users", json.dumps(FAMILY)),
        "key_family users",
    ),
    (
        lambda c: c.hset(KEYS.families, "users", json.dumps({**FAMILY, "ttl": "2h"})),
        lambda c: c.hset(KEYS.families, "users", json.dumps(FAMILY)),
        "key_family users",
    ),
    (
        lambda c: c.hset(KEYS.streams, "events", json.dumps({"maxlen": 99})),
        lambda c: c.hset(KEYS.streams, "events", json.dumps({"maxlen": 10})),
        "create_stream events",
    ),
    (
        lambda c: c.hdel(KEYS.streams, "events"),
        lambda c: c.hset(KEYS.streams, "events", json.dumps({"maxlen": 10})),
        "create_stream events",
    ),
    (
        lambda c: c.xgroup_destroy("orders", "first"),
        lambda c: c.xgroup_create("orders", "first", id="0"),
        "create_stream orders",
    ),
    (
        lambda c: c.config_set(LISTPACK, 300),
        lambda c: c.config_set(LISTPACK, 100),
        f"set_config {LISTPACK}",
    ),
)


# Redis 6 has no functions.
LIBRARY: tuple[Change, Change, str] = (
    lambda c: other_library(c, 2),
    lambda c: other_library(c, 1),
    "function lib",
)


def other_library(client: redis.Redis, answer: int) -> None:
    code = f"#!lua name=lib\nredis.register_function('f', function() return {answer} end)"
    client.function_load(code, replace=True)


def test_every_change_by_hand_is_told_and_silent_once_undone(
    engine: Engine, client: redis.Redis, tmp_path: Path
) -> None:
    options = StoreOptions("redis", "redis", "vfr", tmp_path, tmp_path)
    setting = f"description: one\nup:\n  - set_config: {{parameter: {LISTPACK}, value: 100}}\ndown: auto\n"
    (tmp_path / "0001_setting.yaml").write_text(setting)
    client.config_set(LISTPACK, 100)
    for name in ("events", "gone", "orders"):
        client.xadd(name, {"a": 1})
    client.xgroup_create("orders", "first", id="0")
    client.hset(KEYS.streams, "orders", json.dumps({"maxlen": 10, "group": "first"}))
    changes = CHANGES
    if int(client.info("server")["redis_version"].partition(".")[0]) >= 7:
        other_library(client, 1)
        changes = (*CHANGES, LIBRARY)
    client.xgroup_create("events", "old", id="0")
    client.hset(KEYS.families, "users", json.dumps(FAMILY))
    client.hset(KEYS.streams, "events", json.dumps({"maxlen": 10}))
    client.set("user:1", "a row")
    before = taken(options, engine.url)
    for change, undo, name in changes:
        found = told(options, lambda: taken(options, engine.url), lambda change=change: change(client), tmp_path / "m")
        assert found, name
        assert all(name in each or name in before.get(each, "") for each in found), found
        undo(client)
        assert taken(options, engine.url) == before, name
    client.set("user:2", "another row")
    assert taken(options, engine.url) == before
    client.config_set(LISTPACK, 512)  # as the server had it
