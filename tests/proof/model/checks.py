"""The invariants as questions to a state, by their ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.proof.model.changes import at_work
from tests.proof.model.product import REFUSED, applied, goes_on_at, illegal
from tests.proof.model.state import PLAIN, State

Check = Callable[[State], bool]


def _of_a_step(name: str) -> Check:
    """One that is seen when something happens; the state keeps that it was broken."""
    return lambda state: name not in state.wrong


def _one_holder(state: State) -> bool:
    return sum(at_work(run) and run.sure for run in state.runs) < 2


def _nothing_twice(state: State) -> bool:
    return all(
        count < 2 or number in store.late for store in state.stores for number, count in enumerate(store.effects, 1)
    )


def _one_in_flight(state: State) -> bool:
    return len(set(state.landed_late)) == len(state.landed_late)


def _nothing_lost(state: State) -> bool:
    return all(all(store.effects) for number, store in enumerate(state.stores) if applied(number, store))


def _claimed_is_seen(state: State) -> bool:
    return all(applied(number, state.stores[number]) for number in state.claimed)


def _legal(state: State) -> bool:
    return not any(illegal(number, store.ledger) for number, store in enumerate(state.stores))


def _resumes(state: State) -> bool:
    """Where all is quiet: the next run sends just what is missing, or refuses since the peer's table is lost."""
    if state.requests or any(at_work(run) for run in state.runs):
        return True
    for number, store in enumerate(state.stores):
        at = goes_on_at(number, store.ledger, store.effects, store.peer, True)
        if at == REFUSED:
            if not (state.emptied and number != PLAIN and all(store.effects)):
                return False
            continue
        first = at or len(store.effects) + 1
        there = all(store.effects[: first - 1])
        free = all(not count or place in store.late for place, count in enumerate(store.effects, 1) if place >= first)
        if not (there and free):
            return False
    return True


CHECKS: Mapping[str, Check] = {
    "one-holder": _one_holder,
    "tokens-grow": _of_a_step("tokens-grow"),
    "no-statement-twice": _nothing_twice,
    "in-flight-alone": _one_in_flight,
    "late-writer-refused": _of_a_step("late-writer-refused"),
    "no-applied-lost": _nothing_lost,
    "claimed-is-seen": _claimed_is_seen,
    "one-order": _of_a_step("one-order"),
    "ledger-legal": _legal,
    "resume-completes": _resumes,
}
