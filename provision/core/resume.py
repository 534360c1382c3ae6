"""Finds out, before anything is sent, where each open attempt goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from provision.core import statements
from provision.core.standing import StoreStanding
from provision.errors import ProvisionError, RefusedError, raise_all
from provision.model import StateName, Step
from provision.model.statements import Outcome, Running
from provision.ports import Store

GIVE_UP = 30.0  # seconds a server has to stop what it was told to stop


def settle(
    steps: Iterable[Step], standings: Mapping[str, StoreStanding], stores: Mapping[str, Store]
) -> dict[str, int]:
    """Id → the statement to go on with, for every step whose earlier attempt is open.

    Raises RefusedError (dirty, changed-half-way) for all that cannot be settled, together.
    """
    found: dict[str, int] = {}
    errors: list[ProvisionError] = []
    for step in steps:
        state = standings[step.revision.store].standings[step.id].state
        if not state.open:
            continue
        try:
            found[step.id] = _begin_at(stores[step.revision.store], step, standings)
        except ProvisionError as error:
            errors.append(error)
    raise_all(errors)
    return found


def older(stores: Iterable[Store], project: str, token: int) -> list[tuple[Store, Running]]:
    """Statements of earlier runs of this project that a server still works on, and sessions that may send more."""
    return [
        (store, running)
        for store in stores
        if store.marked is not None
        for running in store.marked.running()
        if running.mark.project == project and running.mark.token < token
    ]


def wait_out(
    find: Callable[[], Sequence[tuple[Store, Running]]],
    wait: float,
    tell: Callable[[Store, Running], None],
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Wait until `find` finds nothing; what is left after `wait` seconds is stopped on its server.

    An idle session is ended at once: nothing is lost with it, and no statement of its run can come any more.
    Raises RefusedError (still-running) when a server does not stop it either, and what `check` raises.
    """
    end, told = clock() + wait, set[str]()
    while found := find():
        check()
        if clock() >= end + GIVE_UP:
            raise _still_running(*found[0])
        for store, running in found:
            if str(running.mark) not in told and not running.idle:
                told.add(str(running.mark))
                tell(store, running)
            if (running.idle or clock() >= end) and store.marked is not None:
                store.marked.cancel(running)
        sleep(0.1)


def _still_running(store: Store, running: Running) -> RefusedError:
    return RefusedError(
        "still-running",
        f"{store.name} still works on a statement of an earlier run, and does not stop it",
        where=f"{running.mark.revision}, {running.seconds:.0f} s: {' '.join(running.text.split())}",
        fix="stop it on the server (a user with more rights may), then run again",
    )


def _begin_at(store: Store, step: Step, standings: Mapping[str, StoreStanding]) -> int:
    state = standings[step.revision.store].standings[step.id].state
    if store.statements is not None:
        return statements.begin_at(store.statements, step, state)
    assert store.lane is not None
    number, detail = state.events[-1].statement or 1, state.events[-1].detail
    if "done_to" in detail:
        return number
    if state.name is StateName.FAILED and ("trail" in detail or not detail.get("preceding")):
        return number
    fate = store.lane.probe(step, state)
    if fate.outcome is Outcome.DONE:
        return number + 1
    if fate.outcome is Outcome.NOT_DONE:
        return number
    counted = "trail" in detail or not detail.get("preceding")
    raise statements.dirty(step, number, None, str(detail.get("text", "")), fate, counted=counted)
