"""What may follow what, and the most rows a second. How large batches are: tests/unit/test_pace.py."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from provision.backfill.pace import Brake, Speed
from provision.backfill.states import CANCEL, PAUSE, RESUME, TRANSITIONS, moved, seen
from provision.errors import RefusedError
from provision.model.backfills import BackfillRun, RunState

NOW = datetime(2026, 3, 2, 9, 14, tzinfo=UTC)


def run(state: RunState) -> BackfillRun:
    return BackfillRun("source", "r1", state, "c", "ci@runner (pid 1)", NOW, NOW)


@pytest.mark.parametrize(("state", "following"), TRANSITIONS)
def test_a_listed_transition_is_one_version_further(state: RunState, following: RunState) -> None:
    after = moved(run(state), following, NOW)

    assert (after.state, after.version) == (following, 1)


@pytest.mark.parametrize(
    ("state", "following"), [pair for pair in product(RunState, RunState) if pair not in TRANSITIONS]
)
def test_every_other_transition_is_refused(state: RunState, following: RunState) -> None:
    with pytest.raises(RefusedError) as refused:
        moved(run(state), following, NOW)

    assert refused.value.what == f"run r1 of backfill source is {state} and cannot become {following}"


@pytest.mark.parametrize("wishes", [PAUSE, RESUME, CANCEL])
def test_every_wish_leads_along_a_listed_transition(wishes: dict[RunState, RunState]) -> None:
    assert wishes.items() <= set(TRANSITIONS)


def test_every_state_is_reached_and_only_two_are_never_left() -> None:
    assert {following for _, following in TRANSITIONS} == set(RunState)
    assert set(RunState) - {state for state, _ in TRANSITIONS} == {RunState.SUCCEEDED, RunState.CANCELLED}


@pytest.mark.parametrize("state", RunState)
def test_a_run_that_nobody_leads_is_not_running(state: RunState) -> None:
    working = {RunState.RUNNING, RunState.PAUSING}

    assert seen(run(state), led=True) is state
    assert (seen(run(state), led=False) is RunState.INTERRUPTED) == (state in {*working, RunState.INTERRUPTED})


def test_a_brake_keeps_to_its_rate() -> None:
    now = [0.0]
    brake = Brake(100.0, lambda: now[0])
    filled = 0
    while now[0] < 20.0:
        rows = brake.most(5_000)
        if wait := brake.claim(rows):
            now[0] += wait
        else:
            filled += rows

    assert brake.most(5_000) == 25
    assert filled / now[0] == pytest.approx(100.0, rel=0.05)
    brake.rate = None
    assert (brake.claim(5_000), brake.most(5_000)) == (0.0, 5_000)


def test_a_brake_counts_what_was_changed_and_lets_one_worker_in_at_a_time() -> None:
    now = [0.0]
    brake = Brake(0.5, lambda: now[0])

    assert brake.most(1_000) == 1
    assert (brake.claim(1), brake.claim(1)) == (0.0, 2.0)
    brake.settle(1, 0)
    assert (brake.claim(1), brake.claim(1)) == (0.0, 2.0)
    now[0] += 100.0
    assert [brake.claim(1) for _ in range(2)] == [0.0, 1.0]  # what was not used is caught up for a second, no longer


def test_a_brake_forgets_what_another_rate_asked() -> None:
    now = [0.0]
    brake = Brake(0.5, lambda: now[0])
    brake.claim(4)
    brake.change(0.5)
    assert brake.claim(1) == 8.0
    brake.change(1_000.0)
    assert brake.claim(1) == 0.0
    brake.change(float("inf"))
    assert (brake.rate, brake.claim(5), brake.claim(5), brake.most(7)) == (None, 0.0, 0.0, 7)


def test_speed_follows_what_was_done() -> None:
    now = [0.0]
    speed = Speed(lambda: now[0])
    for _ in range(20):
        now[0] += 1.0
        speed.add(500)

    assert speed.rate == pytest.approx(500.0)


def test_speed_of_a_first_batch_at_once_is_soon_that_of_the_rate() -> None:
    now = [0.0]
    speed = Speed(lambda: now[0])
    now[0] += 0.01
    speed.add(800)
    for _ in range(8):
        now[0] += 0.25
        speed.add(200)

    assert 800 < speed.rate < 1300
