"""The run lock as its holder sees it; clock and sleep are passed in."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from provision.core.lease import GRACE, Lease, acquire, awaited, held_by
from provision.errors import LeaseHeld, LeaseLost, ProvisionError, UnreachableError
from provision.model import UNKNOWN_HOLDER, Heartbeat, LeaseRecord, Owner
from provision.testing.fake_store import FakeLeases, FakeServer
from tests.unit.core.builders import told

ME, OTHER = Owner("me@host", 1, command="up"), Owner("anna@host", 2, command="down")
AT = datetime(2026, 3, 2, 9, 14, 5, tzinfo=UTC)


class World:
    """One clock for the holder and the server, a lease table, and what was said while waiting."""

    def __init__(self) -> None:
        self.server = FakeServer()
        self.leases = FakeLeases(self.server, "vfr")
        self.waiting: list[str] = []
        self.slept: list[float] = []
        self.dead: set[Owner] = set()
        self.held: list[Lease] = []

    def acquire(self, *, wait: float = 0.0, seconds: float = 30.0, floor: int = 0) -> Lease:
        lease = acquire(
            self.leases,
            "run",
            ME,
            floor=floor,
            seconds=seconds,
            wait=wait,
            waiting=lambda holding: self.waiting.append(str(holding.owner)),
            dead=self.dead.__contains__,
            clock=lambda: self.server.clock,
            sleep=self.sleep,
        )
        self.held.append(lease)
        return lease

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.server.clock += seconds


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.server.lost = False
    for lease in made.held:
        lease.release()


def test_acquire_free_lease_takes_it_above_the_floor(world: World) -> None:
    assert world.acquire(floor=8).token == 9
    assert world.waiting == []


def test_acquire_held_lease_waits_and_says_so_once(world: World) -> None:
    world.leases.take("run", OTHER, 5, 0)

    lease = world.acquire(wait=60)

    assert (lease.token, world.waiting) == (2, ["anna@host (pid 2, down)"])
    assert 5 <= round(sum(world.slept), 6) < 5.3  # Python 3.12 adds more exactly than a clock that goes on by steps


def test_acquire_each_new_holder_in_the_way_is_named(world: World) -> None:
    world.leases.take("run", OTHER, 1, 0)
    third = Owner("bert@host", 3)
    take = world.leases.take

    def raced(name: str, owner: Owner, seconds: float, floor: int) -> LeaseRecord:
        if world.server.clock >= 1 and world.server.tokens["vfr", "run"] == 1:
            take(name, third, 1, 0)
        return take(name, owner, seconds, floor)

    world.leases.take = raced  # type: ignore[method-assign]
    world.acquire(wait=60)

    assert world.waiting == ["anna@host (pid 2, down)", "bert@host (pid 3)"]


@pytest.mark.parametrize("wait", [0.0, 3.0])
def test_acquire_held_longer_than_the_wait_is_refused(world: World, wait: float) -> None:
    world.leases.take("run", OTHER, 30, 0)

    with pytest.raises(LeaseHeld) as caught:
        world.acquire(wait=wait)

    assert caught.value.exit_code == 6
    assert wait <= sum(world.slept) < wait + 0.3
    assert told(caught.value)[0][:2] == ("lease-held", "another run holds the run lock: anna@host (pid 2, down)")


def test_held_by_says_who_since_when_and_until() -> None:
    assert told(held_by(LeaseRecord("run", OTHER, 4, AT, 12.4), 600)) == [
        (
            "lease-held",
            "another run holds the run lock: anna@host (pid 2, down)",
            "lock run, token 4, since 2026-03-02 09:14:05 UTC, expires in 12 s; waited 600 s",
            "wait for it to end; if it is gone for good, the lock expires by itself, or `provision lock release`",
        )
    ]


def test_acquire_dead_holder_is_not_waited_for(world: World) -> None:
    world.leases.take("run", OTHER, 3600, 0)
    world.dead.add(OTHER)

    assert world.acquire().token == 2
    assert (world.waiting, world.slept) == ([], [])


def test_acquire_dead_holder_that_another_run_replaced_is_waited_for(world: World) -> None:
    world.leases.take("run", OTHER, 3600, 0)
    world.dead.add(OTHER)
    world.leases.release = lambda *_: False  # type: ignore[method-assign]

    with pytest.raises(LeaseHeld):
        world.acquire()


def test_check_before_the_deadline_asks_nobody(world: World) -> None:
    lease = world.acquire()
    world.server.lose()
    world.server.clock = 26.9

    lease.check()


def test_check_after_a_gap_extends_the_lease(world: World) -> None:
    lease = world.acquire()
    world.server.clock = 45

    lease.check()

    holding = world.leases.read("run")
    assert holding is not None
    assert holding.expires_in == 30
    world.server.lose()
    lease.check()  # the new deadline holds


def test_check_after_another_took_it_is_lost(world: World) -> None:
    lease = world.acquire()
    world.server.clock = 31
    world.leases.take("run", OTHER, 30, 0)

    with pytest.raises(LeaseLost) as caught:
        lease.check()

    assert told(caught.value) == [
        (
            "lease-lost",
            "the run lock was taken over by anna@host (pid 2, down)",
            "",
            "this run sends nothing more; a statement that it had sent before may still take effect, and the next"
            " run waits for it and looks; `provision status` shows what is half applied",
        )
    ]


def test_check_after_somebody_released_it_is_lost(world: World) -> None:
    lease = world.acquire()
    world.leases.release("run", ME, lease.token)
    world.server.clock = 31

    with pytest.raises(LeaseLost, match="the run lock was released, or its record deleted"):
        lease.check()


def test_check_home_store_gone_past_the_deadline_is_unreachable(world: World) -> None:
    lease = world.acquire()
    world.server.clock = 31
    world.server.lose()

    with pytest.raises(UnreachableError):
        lease.check()


def test_release_gives_the_lease_back(world: World) -> None:
    world.acquire().release()

    assert world.leases.read("run") is None


def test_release_home_store_gone_is_silent(world: World) -> None:
    lease = world.acquire()

    def gone(*_: object) -> bool:
        raise UnreachableError("unreachable", "gone")

    world.leases.release = gone  # type: ignore[method-assign]
    lease.release()


def test_heartbeat_extends_and_outlives_a_home_store_that_is_gone_for_a_while() -> None:
    server, beats, extended = FakeServer(), iter([False, True]), threading.Event()
    table = FakeLeases(server, "vfr")
    extend = table.extend

    def flaky(name: str, owner: Owner, token: int, seconds: float) -> Heartbeat:
        if not next(beats, True):
            raise UnreachableError("unreachable", "gone for a while")
        found = extend(name, owner, token, seconds)
        extended.set()
        return found

    table.extend = flaky  # type: ignore[method-assign]
    holding = table.take("run", ME, 0.03, 0)
    lease = Lease(table, holding, 0.03, 100.0, lambda: 100.0)

    assert extended.wait(5)
    lease.release()
    assert table.read("run") is None


def test_acquire_home_store_gone_is_said(world: World) -> None:
    world.server.lose()

    with pytest.raises(ProvisionError, match="unreachable"):
        world.acquire()


ASKED = "carl@host (pid 3)"
SHORT = 1.0  # seconds of a lease whose heartbeat is really waited for


class Beating:
    """A lease of SHORT seconds on a clock that stands still: whatever is noticed, the heartbeat noticed it."""

    def __init__(self) -> None:
        self.server = FakeServer()
        self.table = FakeLeases(self.server, "vfr")
        self.lease = Lease(self.table, self.table.take("run", ME, SHORT, 0), SHORT, 0.0, lambda: 0.0)

    def free(self) -> bool:
        return self.table.read("run") is None


@pytest.fixture
def beating() -> Iterator[Beating]:
    made = Beating()
    yield made
    made.server.lost = False
    made.lease.release()


def timed(table: FakeLeases, monkeypatch: pytest.MonkeyPatch, *methods: str) -> dict[str, float]:
    """When each method was called last, by the clock of the machine."""
    called: dict[str, float] = {}

    def watched(name: str, method: Callable[..., object]) -> Callable[..., object]:
        def call(*given: object) -> object:
            called[name] = time.monotonic()
            return method(*given)

        return call

    for name in methods:
        monkeypatch.setattr(table, name, watched(name, getattr(table, name)))
    return called


def soon(condition: Callable[[], bool], within: float = 10.0) -> float:
    """How long it took until it was so, in seconds."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < within, "this did not come"
        time.sleep(0.002)
    return time.monotonic() - began


def test_heartbeat_that_finds_the_lock_asked_back_stops_check_before_the_deadline(beating: Beating) -> None:
    beating.lease.check()
    beating.table.ask_back("run", ME, 1, ASKED)

    soon(lambda: beating.lease.until == -math.inf)
    for _ in range(2):
        with pytest.raises(LeaseLost, match=r"lease-lost: carl@host \(pid 3\) asked for the run lock back"):
            beating.lease.check()


def test_heartbeat_gives_a_lock_that_is_asked_back_up_a_grace_after_check_stopped(
    beating: Beating, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = timed(beating.table, monkeypatch, "extend", "release")
    beating.table.ask_back("run", ME, 1, ASKED)
    soon(beating.free)

    assert beating.lease.until == -math.inf
    # In between, a statement that had passed the check may be sent.
    assert called["release"] - called["extend"] >= SHORT * GRACE - 0.01


def test_check_that_finds_the_lock_asked_back_leaves_the_giving_up_to_the_heartbeat(world: World) -> None:
    lease = world.acquire()
    world.leases.ask_back("run", ME, lease.token, ASKED)
    world.server.clock = 28

    with pytest.raises(LeaseLost):
        lease.check()

    held = world.leases.read("run")
    assert held is not None
    assert (held.owner, held.expires_in) == (ME, 2)


def test_release_of_a_lock_that_is_asked_back_does_not_wait_for_the_grace() -> None:
    world = World()
    lease = world.acquire(seconds=60)
    world.leases.ask_back("run", ME, lease.token, ASKED)

    began = time.monotonic()
    lease.release()

    assert time.monotonic() - began < 2
    assert world.leases.read("run") is None


@pytest.mark.parametrize(
    "after", [None, LeaseRecord("run", OTHER, 1, AT, 1e9)], ids=["deleted", "anothers, same token"]
)
def test_heartbeat_that_finds_the_lock_lost_stops_check_and_touches_no_other_run(
    beating: Beating, after: LeaseRecord | None
) -> None:
    beating.server.holdings["vfr", "run"] = after

    soon(lambda: beating.lease.until == -math.inf)
    with pytest.raises(LeaseLost):
        beating.lease.check()
    beating.lease.release()

    assert beating.server.holdings["vfr", "run"] == after


def test_heartbeat_that_cannot_name_the_taker_still_loses(beating: Beating) -> None:
    def gone(_name: str) -> LeaseRecord | None:
        raise UnreachableError("unreachable", "gone")

    beating.table.read = gone  # type: ignore[method-assign]
    beating.server.holdings["vfr", "run"] = None

    soon(lambda: beating.lease.until == -math.inf)
    with pytest.raises(LeaseLost):
        beating.lease.check()


def test_heartbeat_home_store_that_does_not_answer_is_no_loss(beating: Beating) -> None:
    beating.server.lose()
    time.sleep(SHORT)

    beating.lease.check()
    assert beating.lease.until > 0


def test_heartbeat_that_meets_what_nobody_foresaw_leaves_it_to_check(
    beating: Beating, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that raises prints a traceback and beats no more."""
    said: list[object] = []
    monkeypatch.setattr(threading, "excepthook", said.append)
    asked = threading.Event()

    def broken(*_: object) -> None:
        asked.set()
        raise ValueError("no answer of a known kind")

    with monkeypatch.context() as patched:
        patched.setattr(beating.table, "extend", broken)
        assert asked.wait(10)
    until = beating.lease.until
    called = timed(beating.table, monkeypatch, "extend")
    soon(lambda: "extend" in called)
    assert (said, beating.lease.until >= until) == ([], True)


def test_until_moves_on_with_each_sign_of_life_and_ends_a_grace_before_the_expiry(world: World) -> None:
    lease = world.acquire()
    assert lease.until == 27
    world.server.clock = 28
    lease.check()
    assert lease.until == 55


def test_until_of_a_lease_taken_by_an_earlier_request_counts_from_its_expiry(world: World) -> None:
    world.leases.take("run", ME, 30, 0)
    world.server.clock = 10

    assert world.acquire().until == 27


def test_acquire_holder_that_is_asked_is_told_again(world: World) -> None:
    told_of: list[str] = []
    world.leases.take("run", OTHER, 5, 0)

    def waiting(holding: LeaseRecord) -> None:
        told_of.append(awaited(holding))
        world.leases.ask_back("run", OTHER, 1, ASKED)

    world.held.append(
        acquire(
            world.leases,
            "run",
            ME,
            floor=0,
            seconds=30,
            wait=60,
            waiting=waiting,
            dead=world.dead.__contains__,
            clock=lambda: world.server.clock,
            sleep=world.sleep,
        )
    )

    assert told_of == [
        "waits for the run of anna@host (pid 2, down); the run lock expires in 5 s unless that renews it",
        "waits for the run of anna@host (pid 2, down), which carl@host (pid 3) asked to give the run lock up;"
        " it is free in 5 s at the latest",
    ]


def test_acquire_after_the_record_was_deleted_waits_one_length_and_says_why(world: World) -> None:
    world.leases.take("run", OTHER, 30, 0)
    del world.server.holdings["vfr", "run"]

    lease = world.acquire(wait=60)

    assert (lease.token, world.waiting) == (2, [str(UNKNOWN_HOLDER)])
    assert 30 <= sum(world.slept) < 30.3
    assert awaited(LeaseRecord("run", UNKNOWN_HOLDER, 1, AT, 29.5)) == (
        "waits 30 s for an unknown run (the record of its lock was deleted): it may be at work"
    )


def test_held_by_says_who_asked_for_it_back() -> None:
    where = told(held_by(LeaseRecord("run", OTHER, 4, AT, 12.4, ASKED), 600))[0][2]
    assert where.endswith("expires in 12 s, asked back by carl@host (pid 3); waited 600 s")


def test_an_abandoned_lease_lets_nothing_be_sent_and_runs_out_by_itself(world: World) -> None:
    lease = world.acquire()
    lease.check()
    lease.abandon()
    for check in (lease.check, lease.check_writing):
        with pytest.raises(LeaseLost):
            check()
    lease.release()
    holding = world.leases.read("run")
    assert holding is not None
    assert (holding.owner, holding.token, holding.expires_in > 0) == (ME, lease.token, True)


def test_what_sleep_raises_ends_the_wait(world: World) -> None:
    world.leases.take("run", OTHER, 30.0, 0)

    def stopped(_seconds: float) -> None:
        raise ZeroDivisionError

    world.sleep = stopped  # type: ignore[method-assign]
    with pytest.raises(ZeroDivisionError):
        world.acquire(wait=60.0)


def test_a_run_of_the_same_process_is_another_holder(world: World) -> None:
    one, two = (Owner("me@host", 1, run=run) for run in ("a", "b"))
    assert world.leases.take("run", one, 30.0, 0).owner == one
    assert world.leases.take("run", two, 30.0, 0).owner == one
