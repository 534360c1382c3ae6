"""What people are shown of a revision: its state in their words, and whether it is dirty or in progress."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from provision.core.standing import Flag, Standing
from provision.flows.look import ProjectStatus
from provision.model import Event, EventKind, LeaseRecord, Owner, Revision, State, StateName

AT = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)
FILE = Revision("redis", "0001", "sign_ins", "Who signed in", "redis/0001_sign_ins.yaml", "aa")


def begun(token: int, name: StateName = StateName.STARTED) -> Standing:
    event = Event("small", FILE.id, EventKind.STARTED, "aa", token, 1, AT, "dba@db1", statement=1)
    return Standing(FILE.id, FILE, State(name, "aa", AT, "dba@db1", events=(event,)), frozenset({Flag.DIRTY}))


def holding(token: int) -> LeaseRecord:
    return LeaseRecord("run", Owner("dba@db1", 4711), token, AT, 20.0)


def test_begun_by_the_holder_is_in_progress_and_not_dirty() -> None:
    look = ProjectStatus({}, {}, holding(7))
    assert (look.live(begun(7)), look.flags(begun(7))) == (True, ())


@pytest.mark.parametrize("working", [None, holding(8)])
def test_begun_by_another_run_is_dirty(working: LeaseRecord | None) -> None:
    look = ProjectStatus({}, {}, working)
    assert (look.live(begun(7)), look.flags(begun(7))) == (False, (Flag.DIRTY,))


def test_flags_come_in_the_order_of_their_definition() -> None:
    flags = frozenset({Flag.FUTURE, Flag.UNKNOWN, Flag.APPLIED_OUTSIDE})
    each = Standing(FILE.id, None, State(StateName.APPLIED), flags)
    assert ProjectStatus({}, {}).flags(each) == (Flag.UNKNOWN, Flag.FUTURE, Flag.APPLIED_OUTSIDE)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (StateName.PENDING, "held"),
        (StateName.REVERTED, "held"),
        (StateName.STARTED, "started"),
        (StateName.FAILED, "failed"),
    ],
)
def test_waiting_for_a_backfill_is_held_unless_begun(name: StateName, shown: str) -> None:
    each = Standing(FILE.id, FILE, State(name))
    assert ProjectStatus({}, {FILE.id: ("backfill/orders",)}).state(each) == shown
