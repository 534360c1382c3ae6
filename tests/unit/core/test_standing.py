"""Files against ledger against the peer's table."""

from __future__ import annotations

import pytest

from provision.core.standing import Flag, StoreStanding, stand
from provision.model import Event, EventKind, StateName
from tests.unit.core.builders import applied, chain, event, revision

DOWN = {"direction": "down"}


def standing(count: int, events: list[Event], peer: dict[str, bool] | None = None) -> StoreStanding:
    return stand("a", chain("a", count), events, peer)


def flags(found: StoreStanding) -> dict[str, set[str]]:
    return {name: set(each.flags) for name, each in found.standings.items() if each.flags}


def test_stand_applied_and_pending_are_told_apart() -> None:
    found = standing(2, applied("a/1"))

    assert (found.applied, found.pending, found.token, flags(found)) == (("a/1",), ("a/2",), 1, {})


def test_stand_open_attempt_is_dirty() -> None:
    found = standing(1, [event("a/1", EventKind.STARTED, statement=1)])

    assert (flags(found), found.pending) == ({"a/1": {Flag.DIRTY}}, ("a/1",))


def test_stand_other_checksum_is_changed() -> None:
    assert flags(standing(1, [event("a/1", EventKind.APPLIED, checksum="other")])) == {"a/1": {Flag.CHANGED}}


def test_stand_checksum_that_was_never_known_is_not_changed() -> None:
    assert flags(standing(1, [event("a/1", EventKind.ADOPTED, checksum="")])) == {}


def test_stand_reverted_revision_may_be_edited() -> None:
    events = [event("a/1", EventKind.APPLIED, 1, checksum="x"), event("a/1", EventKind.REVERTED, 2, checksum="x")]

    assert flags(standing(1, events)) == {}


def test_stand_file_gone_before_something_applied_is_unknown() -> None:
    found = stand("a", [revision("a/2")], applied("a/1", "a/2"), None)

    assert flags(found) == {"a/1": {Flag.UNKNOWN}}


def test_stand_unknown_after_everything_on_disk_is_future() -> None:
    found = standing(1, applied("a/1", "a/2"))

    assert flags(found) == {"a/2": {Flag.UNKNOWN, Flag.FUTURE}}


def test_stand_unknown_after_a_pending_revision_is_not_future() -> None:
    assert flags(standing(2, applied("a/1", "a/3"))) == {"a/3": {Flag.UNKNOWN}}


def test_stand_unknown_that_was_reverted_is_left_out() -> None:
    events = [*applied("a/1", "a/2"), event("a/2", EventKind.REVERTED, 3)]

    assert list(standing(1, events).standings) == ["a/1"]


def test_stand_unknown_that_was_begun_stays_in_sight() -> None:
    found = standing(1, [*applied("a/1"), event("a/9", EventKind.STARTED, 2, statement=1)])

    assert flags(found) == {"a/9": {Flag.DIRTY}}


@pytest.mark.parametrize("kind", [EventKind.STARTED, EventKind.FAILED, None])
def test_stand_peer_says_applied_and_the_ledger_not_is_applied_outside(kind: EventKind | None) -> None:
    found = standing(1, [event("a/1", kind, statement=1)] if kind else [], {"a/1": True})

    assert (flags(found), found.applied) == ({"a/1": {Flag.APPLIED_OUTSIDE}}, ("a/1",))


def test_stand_peer_knows_of_an_edit_is_changed_too() -> None:
    assert flags(standing(1, [], {"a/1": False})) == {"a/1": {Flag.APPLIED_OUTSIDE, Flag.CHANGED}}


def test_stand_ledger_says_applied_and_the_peer_not_is_reverted_outside() -> None:
    found = standing(1, applied("a/1"), {})

    assert (flags(found), found.pending) == ({"a/1": {Flag.REVERTED_OUTSIDE}}, ("a/1",))


def test_stand_both_agree_is_neither() -> None:
    assert flags(standing(2, applied("a/1"), {"a/1": True})) == {}


def test_stand_open_down_with_the_peers_row_in_place_is_still_an_open_down() -> None:
    events = [*applied("a/1"), event("a/1", EventKind.STARTED, 2, statement=1, detail=DOWN)]

    found = standing(1, events, {"a/1": True})

    assert flags(found) == {"a/1": {Flag.DIRTY}}
    assert found.standings["a/1"].state.name is StateName.STARTED


def test_stand_open_down_without_the_peers_row_has_ended() -> None:
    events = [*applied("a/1"), event("a/1", EventKind.STARTED, 2, statement=1, detail=DOWN)]

    found = standing(1, events, {})

    assert (flags(found), found.pending) == ({"a/1": {Flag.REVERTED_OUTSIDE}}, ("a/1",))


def test_stand_applied_outside_without_a_file_is_unknown() -> None:
    assert flags(standing(1, applied("a/1"), {"a/1": True, "a/7": True})) == {
        "a/7": {Flag.APPLIED_OUTSIDE, Flag.UNKNOWN}
    }


def test_stand_complete_backfill_is_a_gate_and_no_revision() -> None:
    found = standing(1, [event("backfill/fill", EventKind.APPLIED, 1), event("backfill/other", EventKind.FAILED, 2)])

    assert (found.gates, list(found.standings)) == ({"backfill/fill"}, ["a/1"])


def test_stand_refused_statement_is_failed_and_not_dirty() -> None:
    events = [event("a/1", EventKind.STARTED, 1, statement=1), event("a/1", EventKind.FAILED, 2, statement=1)]

    found = standing(1, events)

    assert (flags(found), found.standings["a/1"].state.name) == ({}, StateName.FAILED)
