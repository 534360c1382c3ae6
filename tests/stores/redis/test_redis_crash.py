"""The connection is cut before or after each call of each operation; the next run ends as an undisturbed one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from provision.errors import FailedError
from provision.model import Direction, EventKind, Step
from provision.model.statements import Mark, Outcome, Statement
from provision.stores.redis.store import RedisStore
from tests.stores.redis.redis_cases import MAKING, Case, clean, contents, document, prepare
from tests.stores.redis.redis_servers import Engine, event

Make = Callable[..., RedisStore]


class Cut:
    """A client whose call number `at` loses the connection, before the server got it or after it acted."""

    def __init__(self, client: Any, at: int, *, acted: bool) -> None:
        self.client, self.at, self.acted, self.calls = client, at, acted, 0

    def execute_command(self, *words: Any) -> Any:
        return self._cut(lambda: self.client.execute_command(*words))

    def pipeline(self, **options: Any) -> Any:
        pipe = self.client.pipeline(**options)
        execute = pipe.execute
        pipe.execute = lambda **kwargs: self._cut(lambda: execute(**kwargs))
        return pipe

    def close(self) -> None:
        self.client.close()

    def _cut(self, call: Callable[[], Any]) -> Any:
        self.calls += 1
        if self.calls != self.at:
            return call()
        if self.acted:
            call()
        raise redis.ConnectionError("cut")


def cut(store: RedisStore, at: int, *, acted: bool) -> Cut:
    store._open.client = Cut(store._open.client, at, acted=acted)
    return store._open.client


def first(store: RedisStore, direction: Direction) -> Statement:
    return store.statements.of(Step(store.revisions()[0], direction))[0]


def advance(store: RedisStore, statement: Statement, token: int) -> None:
    store.statements.advance(
        statement, Mark("vfr", token, "redis/0001", 1), event(EventKind.APPLIED, token=token), None
    )


def resume(store: RedisStore, statement: Statement) -> None:
    """What the core does with a statement in flight."""
    fate = store.statements.probe(statement, event())
    assert fate.outcome in (Outcome.DONE, Outcome.NOT_DONE), fate
    if fate.outcome is Outcome.DONE:
        store.statements.record(event(EventKind.APPLIED, token=3), None)
    else:
        advance(store, statement, 3)


@pytest.mark.parametrize("acted", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("direction", [Direction.UP, Direction.DOWN])
@pytest.mark.parametrize("case", MAKING, indirect=True)
def test_resume_after_any_cut_ends_as_undisturbed(
    case: Case, direction: Direction, acted: bool, make: Make, client: redis.Redis, engine: Engine
) -> None:
    if direction is Direction.DOWN and "irreversible" in case.down:
        return
    store = make(document(case))

    def begin() -> None:
        clean(client)
        prepare(client, case.before)
        if direction is Direction.DOWN:
            advance(store, first(store, Direction.UP), 1)

    begin()
    counter = cut(store, 0, acted=acted)
    statement = first(store, direction)
    advance(store, statement, 2)
    undisturbed = contents(client)
    assert counter.calls >= 2
    for at in range(1, counter.calls + 1):
        store.open(engine.url)
        begin()
        cut(store, at, acted=acted)
        with pytest.raises(FailedError) as caught:
            advance(store, statement, 2)
        assert caught.value.code == "server-lost"
        store.open(engine.url)
        if max((each.token for each in store.ledger.read()), default=0) < 2:
            resume(store, statement)
        assert contents(client) == undisturbed
