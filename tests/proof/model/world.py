"""What happens to runs: servers that carry out what was sent, time that passes, and faults."""

from __future__ import annotations

from tests.proof.model.changes import (
    at_work,
    broken,
    entered,
    frozen,
    looked,
    prompt,
    with_lane,
    with_run,
    with_store,
    without,
)
from tests.proof.model.run import Steps
from tests.proof.model.state import FENCED, PLAIN, Lane, Lock, Request, Settings, State


def server_steps(state: State, settings: Settings) -> Steps:
    for request in dict.fromkeys(state.requests):
        who = f"the server of store {request.store}"
        if request.held:
            left = without(state.requests, request)
            yield f"{who} gets what was held back", state._replace(requests=(*left, request._replace(held=False)))
        elif request.store == FENCED:
            yield f"{who} commits for token {request.token}", _committed(state, request)
            if state.runs[request.run].killed:
                left = without(state.requests, request)
                yield f"{who} rolls back: its client is gone", state._replace(requests=left)
            elif "unseen" in settings.faults and state.spent < settings.budget:
                lost = state._replace(requests=without(state.requests, request), spent=state.spent + 1)
                yield f"{who} says committed, and keeps nothing", _answered(lost, request)
        else:
            yield f"{who} does statement {request.statement} of token {request.token}", _landed(state, request)


def _answered(state: State, request: Request, stage: str = "answered") -> State:
    run = state.runs[request.run]
    if at_work(run) and run.token == request.token:
        return with_lane(state, request.run, request.store, Lane(run.lanes[request.store].at, stage))
    return state


def _committed(state: State, request: Request) -> State:
    left = state._replace(requests=without(state.requests, request))
    store = left.stores[FENCED]
    if request.token < store.fence:
        return _answered(left, request, "stopped")
    late = store.ledger and store.ledger[-1][0] > request.token
    done = with_store(left, FENCED, store._replace(effects=(store.effects[0] + 1,), peer=True))
    done = entered(done, FENCED, (request.token, "applied", 0))
    return _answered(broken(done, "late-writer-refused") if late else done, request)


def _landed(state: State, request: Request) -> State:
    left = state._replace(requests=without(state.requests, request))
    store, at = left.stores[PLAIN], request.statement
    late = request.token < looked(state)
    effects = (*store.effects[: at - 1], min(store.effects[at - 1] + 1, 2), *store.effects[at:])
    if late and request.excused:
        # Nobody can refuse it, and nobody could see it: it may be done twice, but it is the only one of its run.
        left = left._replace(landed_late=tuple(sorted((*state.landed_late, request.run))))
        store = store._replace(late=tuple(sorted({*store.late, at})))
    return _answered(with_store(left, PLAIN, store._replace(effects=effects)), request)


def time_steps(state: State) -> Steps:
    """The lock runs out, but never while its holder is sure, or has just been."""
    lock = state.lock
    if lock is None or lock.ended:
        return
    holders = range(len(state.runs)) if lock.run < 0 else (lock.run,)
    if not any(at_work(run) and (run.sure or prompt(run)) for run in map(state.runs.__getitem__, holders)):
        yield "the lock runs out", state._replace(lock=lock._replace(ended=True))


def faults(state: State, settings: Settings) -> Steps:
    if "restore" in settings.faults and state.backup is None and state.spent < settings.budget:
        for number, store in enumerate(state.stores):
            if store.ledger:
                yield f"store {number} is backed up", state._replace(backup=(number, store, state.lock, state.highest))
    if state.spent >= settings.budget:
        return
    spent = state._replace(spent=state.spent + 1)
    yield from ((f"fault: {what}", after) for what, after in _faults(spent, settings))


def _faults(spent: State, settings: Settings) -> Steps:
    busy = [number for number, run in enumerate(spent.runs) if at_work(run)]
    for number in busy:
        run = spent.runs[number]
        if "kill" in settings.faults:
            gone = run._replace(killed=True, sure=False, lost=False, lanes=(Lane(), Lane()))
            yield f"run {number} is killed", with_run(spent, number, gone)
        if "freeze" in settings.faults and prompt(run):
            yield f"run {number} is frozen", with_run(spent, number, frozen(run))
    lock = spent.lock
    if lock is not None and "hand" in settings.faults and not lock.asked:
        marked = None if "ask-back" in settings.off else lock._replace(asked=True)
        yield "somebody releases the lock by hand", spent._replace(lock=marked)
    if lock is not None and "delete" in settings.faults and lock.run >= 0:
        unknown = None if "outlast-deleted" in settings.off else Lock(-1, lock.token)
        yield "somebody deletes the record of the lock", spent._replace(lock=unknown)
    if not busy:
        yield from _of_idle_stores(spent, settings)


def _of_idle_stores(spent: State, settings: Settings) -> Steps:
    """What befalls a store while no run is at work: docs/invariants.md says that it must not befall one that is."""
    if "restore" in settings.faults and spent.backup is not None:
        number, store, lock, highest = spent.backup
        kept = tuple(each for each in spent.requests if each.store != number)
        back = with_store(spent, number, store)._replace(requests=kept, claimed=spent.claimed - {number}, backup=None)
        yield f"store {number} is restored", back._replace(lock=lock, highest=highest) if number == FENCED else back
    if "empty" in settings.faults and spent.stores[FENCED].peer:
        gone = with_store(spent, FENCED, spent.stores[FENCED]._replace(peer=False))
        yield "the version table is emptied", gone._replace(emptied=True)
