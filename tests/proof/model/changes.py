"""Small steps from one state to another."""

from __future__ import annotations

from collections.abc import Iterable

from tests.proof.model.state import PLAIN, Entry, Lane, Request, Run, State, Store

# Stages right behind a look at the lock: what follows comes at once, unless the run is frozen there. Then it is late.
PROMPT = frozenset({"starting", "checked", "stopping", "writing"})


def with_run(state: State, number: int, run: Run) -> State:
    runs = state.runs
    return state._replace(runs=(*runs[:number], run, *runs[number + 1 :]))


def with_lane(state: State, number: int, store: int, lane: Lane) -> State:
    run = state.runs[number]
    lanes = (lane, run.lanes[1]) if store != PLAIN else (run.lanes[0], lane)
    return with_run(state, number, run._replace(lanes=lanes))


def with_store(state: State, number: int, store: Store) -> State:
    stores = (store, state.stores[1]) if number != PLAIN else (state.stores[0], store)
    return state._replace(stores=stores)


def entered(state: State, number: int, entry: Entry) -> State:
    """The ledger of a store with one more entry."""
    store = state.stores[number]
    return with_store(state, number, store._replace(ledger=(*store.ledger, entry)))


def broken(state: State, *names: str) -> State:
    return state._replace(wrong=state.wrong | {*names})


def at_work(run: Run) -> bool:
    return not run.killed and run.phase not in ("new", "over")


def holds(state: State, number: int) -> bool:
    lock, run = state.lock, state.runs[number]
    return lock is not None and (lock.run, lock.token) == (number, run.token)


def prompt(run: Run) -> bool:
    return run.lanes[0].stage in PROMPT or run.lanes[1].stage in PROMPT


def frozen(run: Run) -> Run:
    """What has passed a check, and comes later than the check is good for."""
    one, two = (each._replace(stage=f"{each.stage}!") if each.stage in PROMPT else each for each in run.lanes)
    return run._replace(lanes=(one, two))


def ended(state: State, number: int) -> State:
    """The run is over; the lock is given back if it still is its own."""
    free = state._replace(lock=None) if holds(state, number) else state
    lanes = (Lane(), Lane())
    return with_run(free, number, state.runs[number]._replace(phase="over", sure=False, lost=False, lanes=lanes))


def looked(state: State) -> int:
    """The highest token of a run that has made its plan from what it found."""
    return max((run.token for run in state.runs if run.phase in ("moving", "over")), default=0)


def without(requests: Iterable[Request], gone: Request) -> tuple[Request, ...]:
    left = list(requests)
    left.remove(gone)
    return tuple(left)
