"""What is taken out of the core shows in a share of the schedules, and not in one that luck found.

Which ones are chance, and change with each step that the core takes; how many does not. At least half of what was
counted is asked for.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provision.core.lease import Lease
from provision.flows import migrate
from tests.proof.machine.campaign import play_one
from tests.proof.machine.play import Play
from tests.proof.machine.servers import Server
from tests.proof.machine.threads import stand_ins

SCHEDULES = 300


def _count(found: Callable[[Play, dict[str, str]], bool]) -> int:
    """How many schedules are like that."""
    with stand_ins():
        played = (play_one(seed) for seed in range(1, SCHEDULES + 1))
        return sum(found(play, dict(broken)) for play, broken in played)


def _noticed(invariant: str) -> int:
    return _count(lambda _, broken: invariant in broken)


def test_schedules_meet_a_home_store_that_is_given_up() -> None:
    assert _count(lambda play, _: any("the home store fell silent" in line for line in play.log)) >= 5  # 11


def test_run_that_never_looks_at_its_lock_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lease, "check", lambda _: None)
    monkeypatch.setattr(Lease, "check_writing", lambda _: None)

    assert _noticed("in-flight-alone") >= 3  # 7


def test_run_that_does_not_wait_for_earlier_statements_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "make_ready", lambda *_: None)

    assert _noticed("no-statement-twice") >= 3  # 6


def test_run_that_leaves_a_begun_down_as_it_is_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrate, "begun", lambda *_: [])

    assert _noticed("resume-completes") >= 7  # 14


def test_server_without_its_fence_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    append = Server.append

    def unfenced(server: Server, event: object) -> None:
        server.fences.clear()
        append(server, event)  # type: ignore[arg-type]

    monkeypatch.setattr(Server, "append", unfenced)

    assert _noticed("late-writer-refused") >= 2  # 4
