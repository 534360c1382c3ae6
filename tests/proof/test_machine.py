"""The machine: a seed plays the same again, data of any shape holds, and what is taken out of the core is noticed."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.flows import migrate
from tests.proof.__main__ import main
from tests.proof.invariants import NotChecked
from tests.proof.machine.campaign import campaign, play_one, replay, side_by_side
from tests.proof.machine.checks import CHECKS, judge
from tests.proof.machine.play import FAULTS, Play
from tests.proof.machine.scenario import layout
from tests.proof.machine.servers import FENCED, PLAIN
from tests.proof.machine.threads import stand_ins

SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(fenced=SIZES, plain=SIZES, links=st.integers(0, 99), lane=st.booleans(), seed=st.integers(0, 2**32))
def test_schedules_of_any_layout_break_nothing(
    fenced: tuple[int, ...], plain: tuple[int, ...], links: int, lane: bool, seed: int
) -> None:
    with stand_ins():
        play = Play(seed, layout({FENCED: fenced, PLAIN: plain}, Random(links), lane=lane)).whole()

    assert judge(play) == []


@pytest.mark.parametrize("seed", [13, 21])
def test_seed_plays_the_same_again(seed: int) -> None:
    told = replay(seed)

    assert told == replay(seed)
    assert "run 0 starts" in told


def test_schedules_meet_every_fault_and_overtaken_runs() -> None:
    played = campaign(80, 1)

    assert all(played.counted[kind] > 5 for kind in FAULTS), str(played)
    assert played.counted["overtaken"] > 40


def test_processes_side_by_side_play_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.proof.machine.campaign.PART", 7)

    both, alone = side_by_side(30, 1), campaign(30, 1)

    assert (both.schedules, both.steps, both.counted) == (30, alone.steps, alone.counted)


def test_time_that_is_up_ends_processes_side_by_side(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.proof.machine.campaign.PART", 7)

    assert side_by_side(1_000, 1, seconds=0.2).schedules < 1_000


def test_start_that_was_held_back_beneath_what_is_applied_is_refused() -> None:
    told = replay(18527)

    assert "required-by-others: b/002 stands on what an earlier `down` began to revert" in told
    assert "broken: " not in told


def test_invariant_that_no_schedule_is_asked_for_fails_the_proof() -> None:
    with pytest.raises(NotChecked, match="not checked: \\['one-order'\\]"):
        campaign(1, 1, checks={name: check for name, check in CHECKS.items() if name != "one-order"})


def test_main_prints_schedules_and_says_whether_all_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schedules", "3", "--seed", "10"]) == 0
    assert capsys.readouterr().out.startswith("machine: 3 schedules, ")


def test_main_says_that_time_was_up_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tests.proof.__main__.LONGEST", -1.0)

    assert main(["--schedules", "3"]) == 1
    assert capsys.readouterr().out.endswith("not every schedule was played: time was up, 3 are missing\n")


def test_main_replays_a_seed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--replay", "11"]) == 0
    assert "run 0 starts" in capsys.readouterr().out


def test_defect_of_a_task_is_told_with_its_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of the test")

    monkeypatch.setattr(migrate, "make_ready", broken)
    told: list[str] = []

    assert list(campaign(1, 7, tell=told.append).broken.values()) == [[("defect", "ZeroDivisionError: of the test")]]
    assert told == [
        "seed 7: defect: ZeroDivisionError: of the test\n  again: python -m tests.proof --replay 7",
    ]
    with stand_ins():
        assert play_one(7)[1] == [("defect", "ZeroDivisionError: of the test")]
