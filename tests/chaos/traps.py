"""Ends the process that imports it with SIGKILL at the k-th boundary of a store; shipped code knows nothing of it."""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection
from functools import wraps
from pathlib import Path
from typing import Any

Reached = Callable[[str, int, str, str], None]
LONG = 60.0  # seconds; a process whose run was killed ends with it long before
# store → (module, class, method): what writes an event, the peer's row, the lease or the fence.
BOUNDARIES = {
    "postgres": (
        ("provision.stores.postgres.lease", "PostgresLeases", "take"),
        ("provision.stores.postgres.lease", "PostgresLeases", "release"),
        ("provision.stores.postgres.ledger", "PostgresLedger", "create"),
        ("provision.stores.postgres.ledger", "PostgresLedger", "append"),
        ("provision.stores.postgres.migrate.session", "Session", "end"),  # within the revision's own transaction
        ("provision.stores.postgres.migrate.alembic_lane", "_Pulled", "finish"),  # that transaction is committed
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


# Of a lane that runs in a process of its own; `in_lane` of its env.py reads what the run was given there.
LANE = ("PostgresLedger.append", "Session.end", "_Pulled.finish")
_TRAP, _RECORD = "PROVISION_CHAOS_TRAP", "PROVISION_CHAOS_RECORD"


def in_lane(store: str) -> None:
    """Do as the run was told, in the process of a lane: its boundaries are those of `lane-STORE`."""
    if Path(sys.argv[0]).name != "own_process_child.py" or getattr(in_lane, "done", False):
        return
    in_lane.done = True  # type: ignore[attr-defined]  # env.py runs more than once where it hands over a transaction
    if file := os.environ.get(_RECORD):
        _wrap(f"lane-{store}", LANE, _recorder(Path(file)))
    if trap := os.environ.get(_TRAP):
        _wrap(f"lane-{store}", LANE, _killer(trap))


def spring(trap: str) -> None:
    """Kill this process, or that of a lane, at `store:number:side`."""
    os.environ[_TRAP] = trap
    for store in BOUNDARIES:
        _wrap(store, None, _killer(trap))


def record(file: Path) -> None:
    """Write every boundary that this process passes to `file`, a line each: `store:number:side`."""
    os.environ[_RECORD] = str(file)
    for store in BOUNDARIES:
        _wrap(store, None, _recorder(file))


def _killer(trap: str) -> Reached:
    store, number, side = trap.split(":")

    def reached(at_store: str, at_number: int, at_side: str, _name: str) -> None:
        if (at_store, at_number, at_side) == (store, int(number), side):
            # Every other boundary of a lane ends its run instead, which takes the lane with it.
            ours = not store.startswith("lane-") or int(number) % 2
            os.kill(os.getpid() if ours else os.getppid(), signal.SIGKILL)
            time.sleep(LONG)

    return reached


def _recorder(file: Path) -> Reached:
    lock = threading.Lock()

    def reached(store: str, number: int, side: str, name: str) -> None:
        if (name, side) not in SAME_AS_NEIGHBOUR:
            with lock, file.open("a") as lines:
                lines.write(f"{store}:{number}:{side}\n")

    return reached


def _wrap(store: str, names: Collection[str] | None, reached: Reached) -> None:
    """Watch the boundaries of a store, or of those only the ones with these names."""
    counts: Counter[str] = Counter()
    turn = threading.Lock()
    for module, owner, method in BOUNDARIES[store.removeprefix("lane-").replace("orders", "postgres")]:
        if names is None or f"{owner}.{method}" in names:
            kind = getattr(importlib.import_module(module), owner)
            setattr(kind, method, _wrapped(getattr(kind, method), store, f"{owner}.{method}", counts, turn, reached))


def _wrapped(
    call: Callable[..., Any],
    store: str,
    name: str,
    counts: Counter[str],
    turn: threading.Lock,
    reached: Reached,
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
