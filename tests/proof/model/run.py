"""What a run does: takes the lock, shuts earlier runs out, looks, and carries out two lanes."""

from __future__ import annotations

from collections.abc import Iterator

from tests.proof.model.changes import at_work, broken, ended, entered, holds, prompt, with_lane, with_run, without
from tests.proof.model.product import REFUSED, applied, goes_on_at
from tests.proof.model.state import FENCED, PLAIN, Lane, Lock, Request, Run, Settings, State

Steps = Iterator[tuple[str, State]]


def run_steps(state: State, number: int, settings: Settings) -> Steps:
    run = state.runs[number]
    if run.phase == "new":
        yield from _take(state, number, settings)
    if not at_work(run):
        return
    yield from _lock_steps(state, number, settings)
    if run.phase == "moving":
        yield from _fenced_lane(state, number, settings)
        yield from _plain_lane(state, number, settings)
        if all(lane.stage in ("done", "stopped") for lane in run.lanes):
            yield "ends and gives the lock back", ended(state, number)
    else:
        yield from _shut_out(state, number, settings)


def _take(state: State, number: int, settings: Settings) -> Steps:
    if number and state.runs[number - 1].phase == "new":
        return  # the runs are alike: the first one begins
    lanes = _found(state, settings)
    if lanes is None or all(lane.stage == "done" for lane in lanes):
        yield "has nothing to do, or refuses", with_run(state, number, Run("over"))
        return
    lock = state.lock
    if lock is not None and not lock.ended and (lock.run < 0 or not state.runs[lock.run].killed):
        return
    floor = max((entry[0] for store in state.stores for entry in store.ledger), default=0)
    token = max(state.highest, floor) + 1
    shared = {run.token for run in state.runs if at_work(run)} | {each.token for each in state.requests}
    early = lanes if "look-after-fence" in settings.off else (Lane(), Lane())
    taken = with_run(state, number, Run("locked", token, sure=True, lanes=early))
    taken = taken._replace(lock=Lock(number, token), highest=token)
    yield f"takes the lock with token {token}", broken(taken, "tokens-grow") if token in shared else taken


def _found(state: State, settings: Settings) -> tuple[Lane, Lane] | None:
    """What a look at the stores comes to: where each lane begins; None for a refusal."""
    refuse = "refuse-empty-peer" not in settings.off
    at = [goes_on_at(k, each.ledger, each.effects, each.peer, refuse) for k, each in enumerate(state.stores)]
    if REFUSED in at:
        return None
    one, two = (Lane(each, "due") if each else Lane(0, "done") for each in at)
    return one, two


def _shut_out(state: State, number: int, settings: Settings) -> Steps:
    run = state.runs[number]
    if run.phase == "locked":
        store = state.stores[FENCED]
        fence = store.fence if "fence" in settings.off else max(store.fence, run.token)
        raised = state._replace(stores=(store._replace(fence=fence), state.stores[PLAIN]))
        yield "raises the fence", with_run(raised, number, run._replace(phase="fenced"))
    if run.phase == "fenced":
        earlier = [each for each in state.requests if each.token < run.token and not each.held]
        for each in earlier:
            yield f"stops the statement of token {each.token}", _cut(state, each)
        if not earlier:
            yield "sees no earlier statement", with_run(state, number, run._replace(phase="shut"))
    if run.phase == "shut":
        lanes = run.lanes if "look-after-fence" in settings.off else _found(state, settings)
        if lanes is None:
            yield "refuses", ended(state, number)
        else:
            yield "looks and plans", with_run(state, number, run._replace(phase="moving", lanes=lanes))


def _cut(state: State, request: Request) -> State:
    """A request that has ended without an effect; its run, if it lives, hears an error and writes nothing."""
    left = state._replace(requests=without(state.requests, request))
    run = state.runs[request.run]
    if at_work(run) and run.token == request.token:
        return with_lane(left, request.run, request.store, Lane(run.lanes[request.store].at, "stopped"))
    return left


def _lock_steps(state: State, number: int, settings: Settings) -> Steps:
    run, lock = state.runs[number], state.lock
    if holds(state, number) and lock is not None and not lock.asked:
        if lock.ended or not run.sure:
            renewed = state._replace(lock=lock._replace(ended=False))
            yield "renews the lock", with_run(renewed, number, run._replace(sure=True))
    elif not run.lost and ("ask-back" not in settings.off or not run.sure):
        yield "sees that the lock is lost", with_run(state, number, run._replace(sure=False, lost=True))
    if run.sure and not prompt(run):
        yield "passes its own deadline", with_run(state, number, run._replace(sure=False))
    if run.lost and holds(state, number) and not prompt(run):
        yield "gives the lock up", state._replace(lock=None)


def _may_write(state: State, number: int) -> bool:
    """A lock that was asked back is still good for writing down what is done, until it is given up."""
    return state.runs[number].sure or (state.runs[number].lost and holds(state, number))


def _fenced_lane(state: State, number: int, settings: Settings) -> Steps:
    run = state.runs[number]
    lane = run.lanes[FENCED]
    if lane.stage == "due" and run.sure:
        yield "checks the lock", with_lane(state, number, FENCED, Lane(lane.at, "checked"))
    if lane.stage == "due" and run.lost:
        yield "stops", with_lane(state, number, FENCED, Lane(lane.at, "stopped"))
    if lane.stage in ("checked", "checked!"):
        sent = Request(number, run.token, FENCED, 1)
        yield "begins the transaction", _sent(state, number, sent)
    if lane.stage == "answered":
        seen = applied(FENCED, state.stores[FENCED]) or "second-look" in settings.off
        after = with_lane(state, number, FENCED, Lane(lane.at, "done" if seen else "stopped"))
        yield "looks a second time", after._replace(claimed=after.claimed | {FENCED}) if seen else after


def _sent(state: State, number: int, request: Request) -> State:
    lane = state.runs[number].lanes[request.store]
    after = with_lane(state, number, request.store, Lane(lane.at, "sent"))
    return after._replace(requests=(*after.requests, request))


def _plain_lane(state: State, number: int, settings: Settings) -> Steps:
    run = state.runs[number]
    lane, before = run.lanes[PLAIN], run.lanes[FENCED]
    if lane.stage == "due" and before.stage == "done" and run.sure:
        yield "checks the lock", with_lane(state, number, PLAIN, Lane(lane.at, "starting"))
    if (lane.stage == "due" and (before.stage == "stopped" or run.lost)) or (
        lane.stage in ("ready", "answered") and run.lost and not _may_write(state, number)
    ):
        yield "stops", with_lane(state, number, PLAIN, Lane(lane.at, "stopped"))
    if lane.stage == "ready" and run.sure:
        yield "checks the lock", with_lane(state, number, PLAIN, Lane(lane.at, "checked"))
    if lane.stage == "ready" and run.lost and holds(state, number):
        yield "checks the lock, which was asked back", with_lane(state, number, PLAIN, Lane(lane.at, "stopping"))
    if lane.stage == "answered" and _may_write(state, number):
        yield "checks the lock", with_lane(state, number, PLAIN, Lane(lane.at, "writing"))
    if lane.stage in ("checked", "checked!"):
        yield from _send(state, number, lane, settings)
    if lane.stage.rstrip("!") in ("starting", "writing", "stopping"):
        yield _written(state, number, lane)


def _send(state: State, number: int, lane: Lane, settings: Settings) -> Steps:
    early = not applied(FENCED, state.stores[FENCED])
    request = Request(number, state.runs[number].token, PLAIN, lane.at, excused=lane.stage.endswith("!"))
    sent = _sent(state, number, request)
    sent = broken(sent, "one-order") if early and not request.excused else sent
    yield f"sends statement {lane.at}", sent
    if "hold" in settings.faults and state.spent < settings.budget:
        held = _sent(state, number, request._replace(held=True, excused=True))
        yield f"sends statement {lane.at}, which the network holds back", held._replace(spent=state.spent + 1)


def _written(state: State, number: int, lane: Lane) -> tuple[str, State]:
    run, stage = state.runs[number], lane.stage.rstrip("!")
    last = len(state.stores[PLAIN].effects)
    if stage == "stopping":
        after = entered(state, PLAIN, (run.token, "failed", lane.at))
        return "writes that it stopped", with_lane(after, number, PLAIN, Lane(lane.at, "stopped"))
    at = lane.at if stage == "starting" else lane.at + 1
    if at > last:
        after = entered(state, PLAIN, (run.token, "applied", 0))
        done = with_lane(after, number, PLAIN, Lane(at, "done"))
        return "writes applied", done._replace(claimed=done.claimed | {PLAIN})
    after = entered(state, PLAIN, (run.token, "started" if at == 1 else "at", at))
    return f"writes that statement {at} begins", with_lane(after, number, PLAIN, Lane(at, "ready"))
