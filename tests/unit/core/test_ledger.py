"""Every legal transition leads where the table says; every other pair is refused."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from provision.core.ledger import TRANSITIONS, advance, fold, highest_token, illegal
from provision.errors import RefusedError
from provision.model import PENDING, Direction, EventKind, State, StateName
from tests.unit.core.builders import AT, event, told

P, S, A, F, R, K = (
    StateName.PENDING,
    StateName.STARTED,
    StateName.APPLIED,
    StateName.FAILED,
    StateName.REVERTED,
    StateName.SKIPPED,
)
LEGAL = {
    P: {"started": S, "applied": A, "failed": F, "skipped": K, "adopted": A, "baselined": A, "reverted": R},
    S: {"started": S, "at": S, "applied": A, "reverted": R, "failed": F, "adopted": A},
    F: {"started": S, "at": S, "applied": A, "reverted": R, "failed": F, "adopted": A, "baselined": A},
    A: {"started": S, "reverted": R, "failed": A, "applied": A, "adopted": A, "skipped": K},
    R: {"started": S, "reverted": R, "applied": A, "failed": F, "skipped": K, "adopted": A, "baselined": A},
    K: {"applied": A, "skipped": K, "failed": F},
}
PAIRS = [(state, kind) for state, kind in product(StateName, EventKind) if kind is not EventKind.RESOLVED]


def test_transitions_are_the_known_ones() -> None:
    known = {(state, EventKind(kind)): to for state, row in LEGAL.items() for kind, to in row.items()}

    assert dict(TRANSITIONS) == known


@pytest.mark.parametrize(("state", "kind"), [pair for pair in PAIRS if pair in TRANSITIONS])
def test_advance_legal_pair_gives_the_state_with_the_event_in_it(state: StateName, kind: EventKind) -> None:
    found = advance(State(state), event("a/1", kind, duration_ms=7))

    assert found.name == LEGAL[state][kind]
    if (state, kind) != (A, EventKind.FAILED):
        assert (found.at, found.actor, found.duration_ms, found.checksum) == (
            event("a/1", kind).at,
            "ci@runner",
            7,
            "1" * 40,
        )


@pytest.mark.parametrize(("state", "kind"), [pair for pair in PAIRS if pair not in TRANSITIONS])
def test_advance_any_other_pair_is_refused(state: StateName, kind: EventKind) -> None:
    with pytest.raises(RefusedError) as caught:
        advance(State(state), event("a/1", kind, 3, token=12))

    assert told(caught.value) == [
        (
            "ledger-illegal",
            f"a/1 is {state}, but its ledger goes on with {kind}",
            "ledger entry 12/3 of 2026-03-02 09:17 UTC by ci@runner",
            "look at the database, then `provision resolve a/1 --applied` or `provision resolve a/1 --pending`",
        )
    ]


@pytest.mark.parametrize(("state", "to"), list(product(StateName, StateName)))
def test_advance_resolved_settles_any_state(state: StateName, to: StateName) -> None:
    found = advance(
        State(state, events=(event("a/1", EventKind.STARTED),)), event("a/1", EventKind.RESOLVED, detail={"state": to})
    )

    assert (found.name, found.open) == (to, False)


def test_advance_resolved_without_a_state_is_pending() -> None:
    assert advance(State(A), event("a/1", EventKind.RESOLVED)).name is P


def test_advance_accepted_change_keeps_time_and_author() -> None:
    detail = {"state": "applied", "accepted": True}

    found = advance(State(A, "old", AT, "anna"), event("a/1", EventKind.RESOLVED, 9, checksum="new", detail=detail))

    assert (found.checksum, found.at, found.actor) == ("new", AT, "anna")


def test_fold_order_is_of_token_and_n_whatever_the_clock_says() -> None:
    events = [
        event("a/1", EventKind.REVERTED, 1, token=2, at=AT),
        event("a/1", EventKind.APPLIED, 10, at=AT.replace(year=2030)),
        event("a/1", EventKind.STARTED, 2, at=AT.replace(year=2031)),
    ]

    assert fold(events)["a/1"].name is R
    assert highest_token(events) == 2
    assert highest_token([]) == 0


def test_fold_boundaries_of_an_open_attempt_are_kept_in_order() -> None:
    events = [event("a/1", EventKind.STARTED, 1, statement=1), event("a/1", EventKind.AT, 2, statement=2)]

    state = fold(events)["a/1"]

    assert (state.open, [each.statement for each in state.events]) == (True, [1, 2])


def test_fold_resumed_statement_replaces_its_own_boundary_and_what_followed() -> None:
    events = [
        event("a/1", EventKind.STARTED, 1, statement=1),
        *(event("a/1", EventKind.AT, n, statement=n) for n in (2, 3)),
    ]

    state = fold([*events, event("a/1", EventKind.AT, 1, token=2, statement=2)])["a/1"]

    assert [(each.token, each.statement) for each in state.events] == [(1, 1), (2, 2)]


def test_fold_turned_direction_forgets_the_other_ones_boundaries() -> None:
    up = [event("a/1", EventKind.STARTED, 1, statement=1), event("a/1", EventKind.AT, 2, statement=2)]
    down = event("a/1", EventKind.STARTED, 1, token=2, statement=2, detail={"direction": "down"})

    state = fold([*up, down])["a/1"]

    assert (state.direction, state.events) == (Direction.DOWN, (down,))


def test_fold_failed_half_way_stays_open() -> None:
    begun = event("a/1", EventKind.STARTED, 1, statement=1)

    state = fold([begun, event("a/1", EventKind.FAILED, 2, statement=1, detail={"error": "no room"})])["a/1"]

    assert (state.name, state.open, state.events, state.error) == (F, True, (begun,), "no room")


def test_fold_failed_and_rolled_back_is_closed() -> None:
    events = [
        event("a/1", EventKind.STARTED, 1),
        event("a/1", EventKind.FAILED, 2, detail={"error": "x", "rolled_back": True}),
    ]

    assert not fold(events)["a/1"].open


def test_fold_failed_down_that_was_rolled_back_stays_applied_and_says_why() -> None:
    first = event("a/1", EventKind.APPLIED, 1)

    state = fold([first, event("a/1", EventKind.FAILED, 2, detail={"error": "in use", "rolled_back": True})])["a/1"]

    assert state == replace(advance(PENDING, first), error="in use")


def test_fold_what_a_person_settled_no_longer_needs_to_add_up() -> None:
    events = [
        event("a/1", EventKind.AT, 1),  # no start: illegal
        event("a/1", EventKind.RESOLVED, 2, detail={"state": "applied"}),
        event("a/1", EventKind.REVERTED, 3),
    ]

    assert fold(events)["a/1"].name is R
    assert illegal(events) == frozenset()


def test_fold_after_a_person_settled_it_must_add_up_again() -> None:
    events = [event("a/1", EventKind.RESOLVED, 1, detail={"state": "applied"}), event("a/1", EventKind.AT, 2)]

    with pytest.raises(RefusedError, match="ledger-illegal: a/1 is applied, but its ledger goes on with at"):
        fold(events)


def test_illegal_names_only_what_does_not_add_up() -> None:
    assert illegal([event("a/1", EventKind.AT, 1), event("a/2", EventKind.APPLIED, 2)]) == {"a/1"}
