"""The run lock while its home store takes questions and answers none."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from provision.core.lease import Lease, acquire
from provision.errors import FellSilent, LeaseLost, UnreachableError
from provision.model import Heartbeat, LeaseRecord, Owner
from provision.testing.fake_store import FakeLeases, FakeServer

ME = Owner("me@host", 1, command="up")
SECONDS = 0.5


class Mute(FakeLeases):
    """Answers until it is told to be `mute`; what was asked then comes back when it is `over`, as an error."""

    def __init__(self) -> None:
        super().__init__(FakeServer(), "shop")
        self.mute, self.over = threading.Event(), threading.Event()

    def take(self, *asked: Any) -> LeaseRecord:
        self._wait()
        return super().take(*asked)

    def extend(self, *asked: Any) -> Heartbeat:
        self._wait()
        return super().extend(*asked)

    def release(self, *asked: Any) -> bool:
        self._wait()
        return super().release(*asked)

    def _wait(self) -> None:
        if self.mute.is_set():
            self.over.wait(60)
            raise ValueError("I/O operation on closed file")


@pytest.fixture
def mute() -> Iterator[Mute]:
    made = Mute()
    yield made
    made.over.set()


def taken(leases: Mute) -> Lease:
    return acquire(
        leases, "run", ME, floor=0, seconds=SECONDS, wait=0.0, waiting=lambda _: None, dead=lambda _: False
    )  # fmt: skip


def test_silent_home_store_is_unreachable_before_the_lock_is_held(mute: Mute) -> None:
    mute.mute.set()
    with pytest.raises(UnreachableError, match="the home store does not answer"):
        taken(mute)


def test_check_ends_when_nothing_comes_back(mute: Mute) -> None:
    lease = taken(mute)
    mute.mute.set()
    time.sleep(SECONDS)
    assert lease.unanswered
    with pytest.raises(FellSilent) as silent:
        lease.check()
    assert silent.value.code == "home-silent"
    lease.abandon()


def test_release_does_not_wait_for_a_silent_home_store(mute: Mute) -> None:
    lease = taken(mute)
    mute.mute.set()
    done = threading.Event()
    threading.Thread(target=lambda: (lease.release(), done.set()), daemon=True).start()
    assert done.wait(30)


def test_abandoned_lease_passes_no_check_though_an_answer_comes_late(mute: Mute) -> None:
    lease = taken(mute)
    lease.abandon()
    with pytest.raises(LeaseLost):
        lease.check()
    with pytest.raises(LeaseLost):
        lease.check_writing()
    assert not lease.unanswered


def test_heartbeat_says_nothing_when_its_store_is_closed_under_it(mute: Mute, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    lease = taken(mute)
    mute.mute.set()
    time.sleep(SECONDS / 2)
    lease.release()
    mute.over.set()
    lease._beat.join(30)
    assert (lease._beat.is_alive(), said) == (False, [])
