"""The project's own Redis documents: the seed's key patterns and streams, and three rounds of up and down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from provision.kinds import build
from provision.model import Direction, EventKind, Step, StoreOptions
from provision.model.statements import Mark
from provision.stores.redis.files import documents
from provision.stores.redis.store import RedisStore
from provision.text.durations import seconds
from tests.stores.redis.redis_cases import contents
from tests.stores.redis.redis_servers import Engine, event

ROOT = Path(__file__).parents[3]
OPTIONS = StoreOptions("redis", "redis", "vfr", ROOT / "redis", ROOT)
TTL = {
    "probability_l1": 60,
    "confidence_l2": 300,
    "prediction_l3": 900,
    "user_preferences": 3600,
    "uncertainty": 120,
    "model_performance": 1800,
    "learning_state": 7200,
}
STREAMS = ["calibration_drift", "confidence_updates", "learning_events", "model_performance", "uncertainty_alerts"]


@pytest.fixture
def store(engine: Engine, client: redis.Redis) -> Iterator[RedisStore]:
    assert client.dbsize() == 0
    made = build(OPTIONS)
    assert isinstance(made, RedisStore)
    made.open(engine.url)
    yield made
    made.close()


def move(store: RedisStore, direction: Direction, token: int) -> None:
    revisions = store.revisions() if direction is Direction.UP else list(reversed(store.revisions()))
    n = 0
    for revision in revisions:
        for number, statement in enumerate(store.statements.of(Step(revision, direction)), 1):
            n += 1
            mark = Mark("vfr", token, revision.id, number)
            store.statements.advance(statement, mark, event(EventKind.AT, token=token, n=n, revision=revision.id), None)


def test_families_are_the_seeds_with_prefix_tenant_and_ttl() -> None:
    families = {
        each.body["name"]: each.body
        for document in documents(OPTIONS).all()
        for each in document.up
        if document.number == "0001" and each.name == "key_family"
    }
    assert {name: seconds(body["ttl"]) for name, body in families.items()} == TTL
    for body in families.values():
        assert body["pattern"].startswith("vfr:{tenant_id}:")
        assert body["tenant"] == "tenant_id"
        assert body["type"] in ("json", "hash")


def test_streams_have_length_group_and_tenant() -> None:
    streams = [
        each.body for document in documents(OPTIONS).all() for each in document.up if each.name == "create_stream"
    ]
    assert sorted(body["name"] for body in streams) == [f"vfr:stream:{name}" for name in STREAMS]
    for body in streams:
        assert body["maxlen"] >= 10_000
        assert body["group"]
        assert next(iter(body["fields"])) == "tenant_id"


def test_three_rounds_of_up_and_down_end_alike(store: RedisStore, client: redis.Redis) -> None:
    made = []
    for round_ in range(3):
        move(store, Direction.UP, 2 * round_ + 1)
        made.append(contents(client))
        move(store, Direction.DOWN, 2 * round_ + 2)
        assert sorted(client.keys("*")) == ["provision:vfr:ledger:redis"]
    assert made[0] == made[1] == made[2]
    assert set(made[0]) >= {f"vfr:stream:{name}" for name in STREAMS}


def test_writers_find_the_length_in_the_catalogue(store: RedisStore, client: redis.Redis) -> None:
    move(store, Direction.UP, 1)
    found = json.loads(client.hget("provision:vfr:streams", "vfr:stream:uncertainty_alerts"))
    assert found["maxlen"] == 10_000
    prefs = json.loads(client.hget("provision:vfr:key_families", "user_preferences"))
    assert (prefs["ttl"], prefs["type"], prefs["tenant"]) == (3600, "hash", "tenant_id")
