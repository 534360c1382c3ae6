"""Ends the process that imports it with SIGKILL at the k-th boundary of a store; shipped code knows nothing of it."""

from __future__ import annotations

import importlib
import os
import signal
import threading
from collections import Counter
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

# store → (module, class, method): what writes an event, the peer's row, the lease or the fence.
BOUNDARIES = {
    "postgres": (
        ("provision.stores.postgres.leases", "PostgresLeases", "take"),
        ("provision.stores.postgres.leases", "PostgresLeases", "release"),
        ("provision.stores.postgres.ledger", "PostgresLedger", "create"),
        ("provision.stores.postgres.ledger", "PostgresLedger", "append"),
        ("provision.stores.postgres.session", "Session", "end"),  # within the revision's own transaction
        ("provision.stores.postgres.alembic_lane", "_Pulled", "finish"),  # that transaction is committed
    ),
    "clickhouse": (
        ("provision.stores.clickhouse.store", "ClickhouseStore", "prepare"),
        ("provision.stores.clickhouse.ledger", "ClickhouseLedger", "create"),
        ("provision.stores.clickhouse.ledger", "ClickhouseLedger", "append_all"),
        ("provision.stores.clickhouse.ledger", "ClickhouseLedger", "append_with"),
        ("provision.stores.clickhouse.peer", "ClickhousePeer", "add"),
        ("provision.stores.clickhouse.peer", "ClickhousePeer", "remove"),
    ),
    "redis": (
        ("provision.stores.redis.ledger", "RedisLedger", "create"),
        ("provision.stores.redis.ledger", "RedisLedger", "raise_fence"),
        ("provision.stores.redis.fence", "Fence", "apply"),
        ("provision.stores.redis.fence", "Fence", "transaction"),
    ),
    "influx": (
        ("provision.stores.influx.ledger", "InfluxLedger", "create"),
        ("provision.stores.influx.ledger", "InfluxLedger", "raise_fence"),
        ("provision.stores.influx.ledger", "InfluxLedger", "append"),
    ),
    "weaviate": (
        ("provision.stores.weaviate.ledger", "WeaviateLedger", "create"),
        ("provision.stores.weaviate.ledger", "WeaviateLedger", "raise_fence"),
        ("provision.stores.weaviate.ledger", "WeaviateLedger", "append"),
    ),
    "arango": (
        ("provision.stores.arango.ledger", "ArangoLedger", "create"),
        ("provision.stores.arango.ledger", "ArangoLedger", "raise_fence"),
        ("provision.stores.arango.ledger", "ArangoLedger", "append"),
    ),
}
# Nothing happens between one side of these and the boundary next to it.
SAME_AS_NEIGHBOUR = {("Fence.apply", "before"), ("_Pulled.finish", "after")}


def spring(trap: str) -> None:
    """Kill this process at `store:number:side`."""
    store, number, side = trap.split(":")

    def reached(at_store: str, at_number: int, at_side: str, _name: str) -> None:
        if (at_store, at_number, at_side) == (store, int(number), side):
            os.kill(os.getpid(), signal.SIGKILL)

    _wrap_all(reached)


def record(file: Path) -> None:
    """Write every boundary that this process passes to `file`, a line each: `store:number:side`."""
    lock = threading.Lock()

    def reached(store: str, number: int, side: str, name: str) -> None:
        if (name, side) not in SAME_AS_NEIGHBOUR:
            with lock, file.open("a") as lines:
                lines.write(f"{store}:{number}:{side}\n")

    _wrap_all(reached)


def _wrap_all(reached: Callable[[str, int, str, str], None]) -> None:
    counts: Counter[str] = Counter()
    turn = threading.Lock()
    for store, places in BOUNDARIES.items():
        for module, owner, method in places:
            kind = getattr(importlib.import_module(module), owner)
            setattr(kind, method, _wrapped(getattr(kind, method), store, f"{owner}.{method}", counts, turn, reached))


def _wrapped(
    call: Callable[..., Any],
    store: str,
    name: str,
    counts: Counter[str],
    turn: threading.Lock,
    reached: Callable[[str, int, str, str], None],
) -> Callable[..., Any]:
    @wraps(call)
    def wrapped(*arguments: Any, **given: Any) -> Any:
        with turn:
            counts[store] += 1
            number = counts[store]
        reached(store, number, "before", name)
        answer = call(*arguments, **given)
        reached(store, number, "after", name)
        return answer

    return wrapped
