"""A lock that is left to run out gives what was sent under it the time to arrive: schedules that need it.

A store falls silent while a statement is on its way to it, answers others again, and the statement arrives a moment
later. The run has given the store up by then, and another one waits for the lock.
"""

from __future__ import annotations

from random import Random

import pytest

from provision.core.lease import Lease
from tests.proof.machine.checks import judge
from tests.proof.machine.play import LOCK, Play
from tests.proof.machine.scenario import layout
from tests.proof.machine.servers import FENCED, PLAIN
from tests.proof.machine.threads import stand_ins

SCHEDULES = 40
LONGEST_SILENCE = 1.6 * LOCK  # the run gives the store up after one LOCK, its own ends most of another one later


class Silent(Play):
    """The store without a fence falls silent when the first statement is on its way there; nothing else goes wrong."""

    downs = 0.0

    def __init__(self, seed: int) -> None:
        super().__init__(seed, layout({FENCED: (1,), PLAIN: (2,)}, Random(seed), traceless=0.0))
        self.faults, self._sent = 0, False

    def passes(self, point: str, *, after: bool = False) -> None:
        super().passes(point, after=after)
        if point == f"{PLAIN}.send" and not self._sent:
            self._sent = True
            silence = self.random.uniform(1.2 * LOCK, LONGEST_SILENCE)
            self.servers[PLAIN].silent_until = self.scheduler.now + silence
            self.tell(f"store {PLAIN} falls silent for {silence:.2f} s")
            self.scheduler.sleep(silence + self.random.uniform(0.1, 0.2 * LOCK))

    def _hands(self) -> None:
        """Nobody meddles."""

    def _meddle(self, chance: float) -> None:
        """Nobody meddles."""


def played() -> list[tuple[Play, list[tuple[str, str]]]]:
    with stand_ins():
        plays = [Silent(seed).whole() for seed in range(1, SCHEDULES + 1)]
    return [(each, judge(each)) for each in plays]


def test_statement_of_a_run_that_gave_its_store_up_arrives_while_its_lock_lasts() -> None:
    found = played()

    assert [broken for _, broken in found if broken] == []
    assert sum(any("fell silent" in line for line in play.log) for play, _ in found) > SCHEDULES / 2


def test_run_that_gives_its_lock_back_instead_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease, "abandon", lambda _: None)

    broken = [dict(broken) for _, broken in played() if broken]

    assert len([each for each in broken if "no-statement-twice" in each]) > SCHEDULES / 10
