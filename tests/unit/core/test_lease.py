"""The run lock as its holder sees it; clock and sleep are passed in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from provision.core.lease import Lease, acquire, held_by
from provision.errors import LeaseHeld, LeaseLost, ProvisionError, UnreachableError
from provision.model import Holding, Owner
from tests.doubles.fake_store import FakeLeases, FakeServer
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

    def raced(name: str, owner: Owner, seconds: float, floor: int) -> Holding:
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
    assert told(caught.value)[0][:2] == ("lease-held", "another run holds the lease: anna@host (pid 2, down)")


def test_held_by_says_who_since_when_and_until() -> None:
    assert told(held_by(Holding("run", OTHER, 4, AT, 12.4), 600)) == [
        (
            "lease-held",
            "another run holds the lease: anna@host (pid 2, down)",
            "lease run, token 4, since 2026-03-02 09:14:05 UTC, expires in 12 s; waited 600 s",
            "wait for it to end; if it is gone for good, the lease expires by itself, or `provision lock release`",
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
    world.leases.release = lambda _name, _token: False  # type: ignore[method-assign]

    with pytest.raises(LeaseHeld):
        world.acquire()


def test_check_before_the_deadline_asks_nobody(world: World) -> None:
    lease = world.acquire()
    world.server.lose()
    world.server.clock = 29.9

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
            "the lease was taken over by anna@host (pid 2, down)",
            "",
            "nothing more was sent; `provision status` shows what the other run does",
        )
    ]


def test_check_after_somebody_released_it_is_lost(world: World) -> None:
    lease = world.acquire()
    world.leases.release("run", lease.token)
    world.server.clock = 31

    with pytest.raises(LeaseLost, match="taken over by nobody: it was released"):
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

    def gone(_name: str, _token: int) -> bool:
        raise UnreachableError("unreachable", "gone")

    world.leases.release = gone  # type: ignore[method-assign]
    lease.release()


def test_heartbeat_extends_and_outlives_a_home_store_that_is_gone_for_a_while() -> None:
    server, beats, extended = FakeServer(), iter([False, True]), threading.Event()
    table = FakeLeases(server, "vfr")
    extend = table.extend

    def flaky(name: str, token: int, seconds: float) -> bool:
        if not next(beats, True):
            raise UnreachableError("unreachable", "gone for a while")
        found = extend(name, token, seconds)
        extended.set()
        return found

    table.extend = flaky  # type: ignore[method-assign]
    holding = table.take("run", ME, 0.03, 0)
    lease = Lease(table, holding, 0.03, 1e9, lambda: 100.0)

    assert extended.wait(5)
    lease.release()
    assert table.read("run") is None


def test_acquire_home_store_gone_is_said(world: World) -> None:
    world.server.lose()

    with pytest.raises(ProvisionError, match="unreachable"):
        world.acquire()
