"""The seed's own Redis commands fail, or go wrong without a word; the shipped documents and their entries do not."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import pytest
import redis

from provision.errors import ProvisionError
from provision.kinds import build
from provision.model import Direction, EventKind, Revision, Step, StoreOptions
from provision.model.statements import Mark, Outcome
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_servers import Engine, event
from tests.vfr.factories import redis as factory

ROOT = Path(__file__).parents[3]
INVENTORY = json.loads((ROOT / "tests/fixtures/inventory_redis.json").read_text(encoding="utf-8"))
HASHES = [each for each in INVENTORY["samples"] if each["type"] == "hash"]
FAMILIES = factory.families()
ALERTS = "vfr:stream:uncertainty_alerts"


@pytest.fixture
def shipped(engine: Engine, client: redis.Redis) -> Iterator[RedisStore]:
    """The project's documents, applied."""
    made = build(StoreOptions("redis", "redis", "vfr", ROOT / "redis", ROOT))
    assert isinstance(made, RedisStore)
    assert client.dbsize() == 0
    made.open(engine.url)
    apply(made, token=1)
    yield made
    made.close()


def apply(store: RedisStore, token: int) -> None:
    numbered = enumerate((each, one) for each in store.revisions() for one in store.statements.of(up(each)))
    for n, (revision, statement) in numbered:
        mark = Mark("vfr", token, revision.id, 1)
        happened = event(EventKind.AT, token=token, n=n + 1, revision=revision.id)
        store.statements.advance(statement, mark, happened, None)


def up(revision: Revision) -> Step:
    return Step(revision, Direction.UP)


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(redis.ResponseError) as caught:
        call()
    return str(caught.value)


def test_catalogue_on_the_server_is_the_documents(client: redis.Redis, shipped: RedisStore) -> None:
    assert shipped.name == "redis"
    found = {name: json.loads(text) for name, text in client.hgetall("provision:vfr:key_families").items()}
    assert {name: (each["pattern"], each["type"], each["ttl"]) for name, each in found.items()} == {
        name: (family.pattern, family.type, family.ttl) for name, family in FAMILIES.items()
    }


@pytest.mark.parametrize("sample", HASHES, ids=lambda s: s["key"])
def test_sample_seed_is_of_another_type_than_its_service_and_never_ends(
    raw: redis.Redis, sample: dict[str, Any]
) -> None:
    key = sample["key"]
    assert "wrong number of arguments for 'hset'" in refused(lambda: raw.execute_command("HSET", key))
    raw.hset(key, mapping=dict.fromkeys(sample["fields"], "1"))
    assert raw.ttl(key) == -1
    assert refused(lambda: raw.get(key)).startswith("WRONGTYPE")
    raw.execute_command("SETEX", key, 60, "{}")
    assert refused(lambda: raw.hset(key, "a", "1")).startswith("WRONGTYPE")


def test_fallback_seed_finds_no_key_of_its_own_or_that_of_any_reason(raw: redis.Redis) -> None:
    raw.execute_command("SETEX", "vfr:ml:fallback:model-unavailable", 60, "{}")
    assert raw.keys("ml:fallback:*") == []
    assert raw.keys("vfr:ml:fallback:*") == [b"vfr:ml:fallback:model-unavailable"]


def test_fallback_is_asked_for_one_service_by_its_key(raw: redis.Redis) -> None:
    factory.write(raw, "service_fallback", "acme")
    assert raw.exists(factory.key("service_fallback", "acme")) == 1
    assert raw.exists(factory.key("service_fallback", "acme", service="enhancement-service")) == 0


def test_fallback_seed_keeps_other_clients_waiting_longer_than_any_page_of_scan(raw: redis.Redis) -> None:
    pattern = "vfr:ml:fallback:*"
    raw.eval("for n = 1, 100000 do redis.call('SET', 'vfr:ml:feat:' .. n, '1') end", 0)
    connections: list[Any] = [raw.connection_pool.make_connection() for _ in range(2)]
    asking, other = connections

    def wait_beside(*command: object) -> tuple[float, Any]:
        """The seconds that another client's PING takes beside the command, and the command's answer."""
        asking.send_command(*command)
        since = time.perf_counter()
        other.send_command("PING")
        assert other.read_response() == b"PONG"
        return time.perf_counter() - since, asking.read_response()

    # Medians of five, so that a pause of the machine is not taken for one of the server.
    keys: list[float] = []
    pages: dict[bytes, list[float]] = defaultdict(list)
    try:
        wait_beside("PING")
        for _ in range(5):
            waited, found = wait_beside("KEYS", pattern)
            keys.append(waited)
            assert found == []
            cursor = b"0"
            while cursor != b"0" or len(pages[cursor]) < len(keys):
                waited, (following, found) = wait_beside("SCAN", cursor, "MATCH", pattern, "COUNT", 1000)
                pages[cursor].append(waited)
                assert found == []
                cursor = following
    finally:
        for connection in connections:
            connection.disconnect()
    # A cursor that came up once or twice is of a table that the server was still growing.
    steady = [median(each) for each in pages.values() if len(each) >= 3]
    assert len(steady) > 50
    assert median(keys) > max(steady)


def test_performance_seed_meets_a_list_where_it_writes_a_hash(raw: redis.Redis) -> None:
    raw.lpush("ml:perf:latency:AAPL:14", "85", "92")
    model, date = "latency", "AAPL:14"
    assert refused(lambda: raw.hset(f"ml:perf:{model}:{date}", "accuracy", "0.6")).startswith("WRONGTYPE")
    raw.hset("ml:perf:momentum-lstm:2026-01-02", "accuracy", "0.6")
    assert {raw.type(key) for key in raw.scan_iter("ml:perf:*")} == {b"list", b"hash"}


def test_performance_of_each_kind_has_a_place_of_its_own(raw: redis.Redis) -> None:
    for name in ("enhancement_latency", "model_day", "model_performance"):
        key = factory.write(raw, name, "acme")
        assert [*raw.scan_iter(key.rsplit(":", 2)[0] + ":*")] == [key.encode()]
    assert factory.key("model_day", "acme", model_id="latency") != factory.key("enhancement_latency", "acme")


def test_features_seed_in_one_place_are_of_two_types(raw: redis.Redis) -> None:
    raw.mset({"vfr:ml:feat:AAPL:technical:29": "{}"})  # a feature called technical
    assert refused(lambda: raw.hset("vfr:ml:feat:AAPL:technical:29", "rsi_14", "54.2")).startswith("WRONGTYPE")


def test_features_seed_patterns_are_refused_as_families(make: Callable[..., RedisStore]) -> None:
    family = "key_family: {{name: {0}, pattern: '{1}', type: hash, ttl: 60, owner: o, description: d}}"
    patterns = ["ml:feat:{ticker}:{feature_type}:{timestamp_floor}", "ml:feat:{ticker}:{feature_id}:{minute}"]
    text = (
        "up:\n" + "".join(f"  - {family.format(f'f{n}', each)}\n" for n, each in enumerate(patterns)) + "down: auto\n"
    )
    with pytest.raises(ProvisionError, match=r"key family f1 .* overlaps f0"):
        make(text).revisions()


def test_mset_seed_writes_keys_that_never_end(raw: redis.Redis) -> None:
    raw.mset({"vfr:ml:feat:AAPL:rsi_14:29": "{}"})
    raw.zadd("ml:rank:sp500:m:1", {"AAPL": 0.9})
    assert [raw.ttl(key) for key in ("vfr:ml:feat:AAPL:rsi_14:29", "ml:rank:sp500:m:1")] == [-1, -1]


def test_every_entry_written_ends(raw: redis.Redis) -> None:
    for name in FAMILIES:
        factory.write(raw, name, "acme")
    assert [key for key in raw.scan_iter() if raw.ttl(key) <= 0] == []


def test_stream_seed_has_no_bound_and_no_group_and_its_group_only_once(raw: redis.Redis) -> None:
    with raw.pipeline(transaction=False) as many:
        for _ in range(10_500):
            many.xadd("uncertainty_alerts", {"value": "0.5"})
        many.execute()
    assert raw.xlen("uncertainty_alerts") == 10_500
    assert refused(lambda: raw.xreadgroup("g", "one", {"uncertainty_alerts": ">"})).startswith("NOGROUP")
    raw.xgroup_create("uncertainty_alerts", "g")
    assert refused(lambda: raw.xgroup_create("uncertainty_alerts", "g")).startswith("BUSYGROUP")


@pytest.mark.usefixtures("shipped")
def test_stream_is_bound_and_read_by_its_groups_as_two_tenants(raw: redis.Redis) -> None:
    for tenant in ("acme", "globex"):
        factory.add(raw, ALERTS, tenant)
    for group in ("alert-dispatcher", "audit-writer"):
        ((_, entries),) = raw.xreadgroup(group, "one", {ALERTS: ">"})
        assert [values[b"tenant_id"] for _, values in entries] == [b"acme", b"globex"]
    with raw.pipeline(transaction=False) as many:
        for _ in range(10_500):
            factory.add(many, ALERTS, "acme")
        many.execute()
    assert 10_000 <= raw.xlen(ALERTS) <= 10_100


def test_stream_applied_again_keeps_its_groups_and_entries(raw: redis.Redis, shipped: RedisStore) -> None:
    factory.add(raw, ALERTS, "acme")
    apply(shipped, token=2)
    assert (raw.xlen(ALERTS), len(raw.xinfo_groups(ALERTS))) == (1, 2)
    for revision in shipped.revisions():
        for statement in shipped.statements.of(up(revision)):
            fate = shipped.statements.probe(statement, event(EventKind.AT, token=2, n=99, revision=revision.id))
            assert fate.outcome is Outcome.DONE, fate
