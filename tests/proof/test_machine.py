"""The machine: a seed plays the same again, data of any shape holds, and what is taken out of the core is noticed."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.core.lease import Lease
from provision.flows import migrate
from tests.proof.__main__ import main
from tests.proof.invariants import NotChecked
from tests.proof.machine.campaign import campaign, play_one, replay
from tests.proof.machine.checks import CHECKS, judge
from tests.proof.machine.play import FAULTS, Play
from tests.proof.machine.scenario import layout
from tests.proof.machine.servers import FENCED, PLAIN, Server
from tests.proof.machine.threads import stand_ins

SCHEDULES = 600  # most that are played until a defect is noticed; the rarest shows in one of a hundred
SIZES = st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple)


@settings(max_examples=30, deadline=None, derandomize=True, database=None)
@given(fenced=SIZES, plain=SIZES, links=st.integers(0, 99), seed=st.integers(0, 2**32))
def test_schedules_of_any_layout_break_nothing(
    fenced: tuple[int, ...], plain: tuple[int, ...], links: int, seed: int
) -> None:
    with stand_ins():
        play = Play(seed, layout({FENCED: fenced, PLAIN: plain}, Random(links))).whole()

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


def test_invariant_that_no_schedule_is_asked_for_fails_the_proof() -> None:
    with pytest.raises(NotChecked, match="not checked: \\['one-order'\\]"):
        campaign(1, 1, checks={name: check for name, check in CHECKS.items() if name != "one-order"})


def _some(found: Callable[[Play, list[tuple[str, str]]], bool]) -> bool:
    """Whether a schedule is like that. Which one is first is chance, and changes with each step the core takes."""
    with stand_ins():
        return any(found(*play_one(seed)) for seed in range(1, SCHEDULES + 1))


def _is_noticed(invariant: str) -> bool:
    return _some(lambda _, broken: invariant in dict(broken))


def test_schedules_meet_a_home_store_that_is_given_up() -> None:
    assert _some(lambda play, _: any("the home store fell silent" in line for line in play.log))


def test_run_that_never_looks_at_its_lock_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease, "check", lambda _: None)
    monkeypatch.setattr(Lease, "check_writing", lambda _: None)

    assert _is_noticed("in-flight-alone")


def test_run_that_does_not_wait_for_earlier_statements_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "make_ready", lambda *_: None)

    assert _is_noticed("no-statement-twice")


def test_server_without_its_fence_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    append = Server.append

    def unfenced(server: Server, event: object) -> None:
        server.fences.clear()
        append(server, event)  # type: ignore[arg-type]

    monkeypatch.setattr(Server, "append", unfenced)

    assert _is_noticed("late-writer-refused")


def test_main_prints_schedules_and_says_whether_all_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--schedules", "3", "--seed", "10"]) == 0
    assert capsys.readouterr().out.startswith("machine: 3 schedules, ")


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
