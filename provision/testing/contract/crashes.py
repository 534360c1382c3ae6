"""A run that is killed between any two events, or before or after any statement, is finished by the next one.

Every point is tried on the quick stores, a share of them on the slow ones; PROVISION_CRASHES=all tries all on all.
"""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from provision.testing.contract.bench import Bench
from provision.testing.contract.case import NUMBERS
from provision.testing.contract.killer import Killer


def test_up_killed_anywhere_is_finished_exactly_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    killer = Killer(monkeypatch, bench.case.crash_points)
    full, points = undisturbed(bench, killer, bench.up)
    assert points > 12

    for at in chosen(bench, points, 0):
        bench.case.wipe()
        with killer.run(at):
            bench.up()
        assert killer.dead
        report = bench.up()

        assert (report.failures, report.remaining) == ((), ()), killer.where
        assert bench.case.seen() == full, killer.where
        assert set(bench.net().values()) == {1}, killer.where


def test_down_killed_anywhere_is_finished_by_down_or_turned_by_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    killer = Killer(monkeypatch, bench.case.crash_points)
    bench.up()
    full = bench.case.seen()
    _, points = undisturbed(bench, killer, bench.down)

    for at in chosen(bench, points, 1):
        bench.case.wipe()
        bench.up()
        assert bench.case.seen() == full
        with killer.run(at):
            bench.down()
        again, expected = (bench.up, full) if at % 2 else (bench.down, [])
        report = again()

        assert (report.failures, report.remaining) == ((), ()), killer.where
        assert bench.case.seen() == expected, killer.where
        assert bench.net() == {f"{bench.case.name}/{number}": at % 2 for number in NUMBERS}, killer.where


def chosen(bench: Bench, points: int, first: int) -> range:
    every = os.environ.get("PROVISION_CRASHES") == "all"
    return range(0 if every else first, points, 1 if every else bench.case.crash_stride)


def undisturbed(bench: Bench, killer: Killer, move: Callable[[], object]) -> tuple[list[str], int]:
    """What the whole move leaves, and how many points it passes."""
    with killer.run(None):
        move()
    return bench.case.seen(), killer.passed
