"""The ledger: order, late and duplicate writers, and the event that comes with its operation or not at all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
import redis

from provision.errors import ConfigError, LeaseLost, StatementFailed
from provision.model import EventKind, Step
from provision.model.statements import Fate, Mark, Outcome
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_cases import contents
from tests.stores.redis.redis_servers import event

Make = Callable[..., RedisStore]
LEDGER = "provision:vfr:ledger:redis"
TWO_COMMANDS = (
    "up:\n  - redis: {commands: [SET a 1, LPUSH wrong 1], probe: {command: GET a, equals: 1}, down: [DEL a]}\n"
    "down: auto\n"
)
STREAM = "up:\n  - create_stream: {name: vfr:s, maxlen: 9, owner: o, description: d}\ndown: auto\n"


def test_read_without_ledger_is_empty_and_writes_nothing(make: Make, client: redis.Redis) -> None:
    assert make().ledger.read() == []
    assert client.dbsize() == 0


def test_append_keeps_every_field(make: Make) -> None:
    store = make()
    written = event(
        EventKind.FAILED,
        token=7,
        n=1,
        statement=3,
        duration_ms=12,
        detail={"error": "naïve ✓", "direction": "down"},
        at=datetime(2026, 3, 2, 10, 14, 0, 1, timezone(timedelta(hours=1))),
    )
    store.ledger.append(written)
    (read,) = store.ledger.read()
    assert read == written
    assert read.at.tzinfo is UTC


def test_read_orders_by_token_and_n_over_several_pages(make: Make) -> None:
    store = make()
    for token in (9, 10):
        for n in range(1, 600):
            store.ledger.append(event(token=token, n=n))
    keys = [(each.token, each.n) for each in store.ledger.read()]
    assert keys == sorted(keys)
    assert len(keys) == 1198


@pytest.mark.parametrize(("token", "n"), [(4, 9), (5, 1), (5, 2)], ids=["late token", "late n", "duplicate"])
def test_append_late_or_twice_is_refused(make: Make, token: int, n: int) -> None:
    store = make()
    store.ledger.append(event(token=5, n=2))
    with pytest.raises(LeaseLost) as caught:
        store.ledger.append(event(token=token, n=n))
    assert caught.value.what == "the run lock was taken over by ci@runner-4 (ledger entry 5-2)"
    assert len(store.ledger.read()) == 1


def test_raise_fence_refuses_lower_tokens_before_any_event(make: Make, client: redis.Redis) -> None:
    store = make()
    store.ledger.raise_fence(6)
    assert store.ledger.read() == []
    with pytest.raises(LeaseLost):
        store.ledger.append(event(token=5, n=99))
    with pytest.raises(redis.ResponseError, match="equal or smaller"):
        client.xadd(LEDGER, {"a": "b"}, id="5-99")
    store.ledger.append(event(token=6, n=1))
    store.ledger.raise_fence(6)
    store.ledger.append(event(token=6, n=2))


def test_raise_fence_below_a_newer_run_is_refused(make: Make) -> None:
    store = make()
    store.ledger.raise_fence(6)
    with pytest.raises(LeaseLost):
        store.ledger.raise_fence(5)
    store.ledger.create()
    with pytest.raises(LeaseLost):
        store.ledger.append(event(token=5, n=1))


@pytest.mark.parametrize(
    "body",
    [
        "create_stream: {name: vfr:s, maxlen: 9, owner: o, description: d}",
        "set_config: {parameter: maxmemory-samples, value: 8}",
        "delete_keys: {pattern: 'k:*'}",
        "rename_keys: {pattern: 'k:*', to: 'l:*'}",
        "set_ttl: {pattern: 'k:*', ttl: 60}",
        "set_ttl: {pattern: 'k:*', ttl: 60, only: all}",
        "redis: {commands: [SET a 1], probe: {command: GET a, equals: 1}, down: [DEL a]}",
    ],
)
def test_advance_by_late_run_changes_nothing(make: Make, client: redis.Redis, body: str) -> None:
    client.mset({"k:1": "1", "k:2": "2"})
    store = make(f"up:\n  - {body}\ndown: {{irreversible: test}}\n")
    store.ledger.raise_fence(8)
    before = contents(client)
    (statement,) = store.statements.of(Step(store.revisions()[0]))
    with pytest.raises(LeaseLost):
        store.statements.advance(statement, Mark("vfr", 7, "redis/0001", 1), event(token=7), None)
    assert contents(client) == before
    assert store.ledger.read() == []


def test_advance_refused_command_writes_no_event(make: Make, client: redis.Redis) -> None:
    client.set("wrong", "text")
    store = make(TWO_COMMANDS)
    (statement,) = store.statements.of(Step(store.revisions()[0]))
    with pytest.raises(StatementFailed) as caught:
        store.statements.advance(statement, Mark("vfr", 1, "redis/0001", 1), event(EventKind.APPLIED), None)
    assert caught.value.what == (
        "SET a 1; LPUSH wrong 1: WRONGTYPE Operation against a key holding the wrong kind of value (command 2)"
    )
    assert caught.value.statement == "SET a 1\nLPUSH wrong 1"
    assert store.ledger.read() == []


def test_advance_after_refused_command_goes_on_with_that_one(make: Make, client: redis.Redis) -> None:
    client.set("wrong", "text")
    store = make(TWO_COMMANDS.replace("SET a 1", "INCR a"))
    (statement,) = store.statements.of(Step(store.revisions()[0]))
    mark = Mark("vfr", 1, "redis/0001", 1)
    for n in (1, 2):
        with pytest.raises(StatementFailed, match=r"\(command 2\)"):
            store.statements.advance(statement, mark, event(EventKind.APPLIED, n=n), None)
        fate = store.statements.probe(statement, event())
        assert fate == Fate(Outcome.NOT_DONE, "1 of 2 commands took effect, the next was refused")
    client.delete("wrong")
    store.statements.advance(statement, mark, event(EventKind.APPLIED, n=3), None)
    assert client.get("a") == "1"
    assert client.lrange("wrong", 0, -1) == ["1"]
    assert sorted(client.keys("*")) == ["a", LEDGER, "wrong"]


def test_advance_out_of_memory_changes_nothing(make: Make, client: redis.Redis) -> None:
    store = make(STREAM)
    (statement,) = store.statements.of(Step(store.revisions()[0]))
    client.config_set("maxmemory", "1")
    try:
        with pytest.raises(StatementFailed, match="OOM command not allowed"):
            store.statements.advance(statement, Mark("vfr", 1, "redis/0001", 1), event(EventKind.APPLIED), None)
    finally:
        client.config_set("maxmemory", "0")
    assert client.dbsize() == 0


def test_read_foreign_entry_is_named(make: Make, client: redis.Redis) -> None:
    client.xadd(LEDGER, {"a": "b"}, id="3-1")
    store = make()
    with pytest.raises(ConfigError) as caught:
        store.ledger.read()
    assert caught.value.code == "ledger-unreadable"
    assert caught.value.what == f"entry 3-1 of {LEDGER} was not written by provision: it has no detail"


def test_two_projects_share_a_server(make: Make) -> None:
    ours, theirs = make(), make(project="other")
    ours.ledger.append(event(token=9))
    theirs.ledger.append(event(token=1))
    assert [each.project for each in theirs.ledger.read()] == ["other"]
    assert len(ours.ledger.read()) == 1
