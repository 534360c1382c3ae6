"""Every operation on real servers: absent → made, again → done, different → stopped, undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import redis

from provision.errors import StatementFailed
from provision.model import Direction, EventKind, Step
from provision.model.statements import Mark, Outcome, Statement
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_cases import MAKING, STOPPING, UNDOING, Case, contents, document, prepare
from tests.stores.redis.redis_servers import event

Make = Callable[..., RedisStore]


def only(store: RedisStore, direction: Direction = Direction.UP) -> Statement:
    (statement,) = store.statements.of(Step(store.revisions()[0], direction))
    return statement


def run(store: RedisStore, statement: Statement, n: int, kind: EventKind = EventKind.APPLIED) -> None:
    store.statements.advance(statement, Mark("vfr", 1, "redis/0001", 1), event(kind, n=n), None)


@pytest.mark.parametrize("case", MAKING, indirect=True)
def test_advance_absent_makes_it_and_records(case: Case, make: Make, client: redis.Redis) -> None:
    prepare(client, case.before)
    store = make(document(case))
    statement = only(store)
    before = contents(client)
    assert store.statements.probe(statement, event()).outcome is Outcome.NOT_DONE
    assert contents(client) == before
    run(store, statement, 1)
    assert contents(client) != before
    assert store.statements.probe(statement, event()).outcome is Outcome.DONE
    assert [each.kind for each in store.ledger.read()] == [EventKind.APPLIED]


@pytest.mark.parametrize("case", MAKING, indirect=True)
def test_advance_again_changes_nothing(case: Case, make: Make, client: redis.Redis) -> None:
    prepare(client, case.before)
    store = make(document(case))
    run(store, only(store), 1)
    after = contents(client)
    run(store, only(store), 2)
    assert contents(client) == after
    assert len(store.ledger.read()) == 2


@pytest.mark.parametrize("case", STOPPING, indirect=True)
def test_advance_different_stops_and_alters_nothing(case: Case, make: Make, client: redis.Redis) -> None:
    prepare(client, (*case.before, *case.other))
    store = make(document(case))
    before = contents(client)
    with pytest.raises(StatementFailed) as caught:
        run(store, only(store), 1)
    assert caught.value.what == case.stopped
    assert (caught.value.number, caught.value.where) == (1, "redis/0001_case.yaml:2")
    assert contents(client) == before
    assert store.ledger.read() == []


@pytest.mark.parametrize("case", UNDOING, indirect=True)
def test_down_brings_back_what_was(case: Case, make: Make, client: redis.Redis) -> None:
    prepare(client, case.before)
    before = contents(client)
    store = make(document(case))
    run(store, only(store), 1)
    down = only(store, Direction.DOWN)
    assert store.statements.probe(down, event()).outcome is Outcome.NOT_DONE
    run(store, down, 2, EventKind.REVERTED)
    assert store.statements.probe(down, event()).outcome is Outcome.DONE
    assert contents(client) == before
    run(store, down, 3, EventKind.REVERTED)
    assert contents(client) == before
