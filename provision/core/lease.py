"""The run lock as a run holds it: taken with a wait, kept alive by a heartbeat, checked before every statement."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from provision.errors import LeaseHeld, LeaseLost, ProvisionError
from provision.model import Holding, Owner
from provision.ports import Leases

Clock = Callable[[], float]


class Lease:
    """A lease that is held. `check` costs nothing while the holder's own monotonic deadline lies ahead."""

    def __init__(self, leases: Leases, holding: Holding, seconds: float, deadline: float, clock: Clock) -> None:
        self.token = holding.token
        self._leases, self._name, self._seconds, self._clock = leases, holding.name, seconds, clock
        self._deadline = deadline
        self._renewing = threading.Lock()
        self._ended = threading.Event()
        self._beat = threading.Thread(target=self._heartbeat, name="lease", daemon=True)
        self._beat.start()

    def check(self) -> None:
        """Return while the lease is ours. After a gap, ask the home store; raises LeaseLost when another run has it."""
        if self._clock() >= self._deadline:
            self._renew()

    @property
    def until(self) -> float:
        """The monotonic time up to which `check` asks nobody."""
        return self._deadline

    def release(self) -> None:
        """Give the lease back. A lease that was lost, or a home store that is gone, needs no giving back."""
        self._ended.set()
        self._beat.join()
        try:
            self._leases.release(self._name, self.token)
        except ProvisionError:
            return  # it runs out by itself

    def _renew(self) -> None:
        with self._renewing:
            asked = self._clock()
            if asked < self._deadline:
                return
            self._extend(asked)

    def _extend(self, asked: float) -> None:
        if not self._leases.extend(self._name, self.token, self._seconds):
            holding = self._leases.read(self._name)
            raise LeaseLost(str(holding.owner) if holding else "nobody: it was released")
        self._deadline = asked + self._seconds

    def _heartbeat(self) -> None:
        # A beat that fails is not an error yet: `check` asks again, in the thread that wants to send something.
        while not self._ended.wait(self._seconds / 3):
            try:
                with self._renewing:
                    self._extend(self._clock())
            except ProvisionError:
                continue


def acquire(
    leases: Leases,
    name: str,
    owner: Owner,
    *,
    floor: int,
    seconds: float,
    wait: float,
    waiting: Callable[[Holding], None],
    dead: Callable[[Owner], bool],
    clock: Clock = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Lease:
    """Take the lease, waiting up to `wait` seconds for its holder. Raises LeaseHeld, naming the holder.

    `waiting` is told once for each holder that is in the way. A holder that `dead` knows to be gone is not waited for.
    """
    end = clock() + wait
    told = 0
    while True:
        asked = clock()
        holding = leases.take(name, owner, seconds, floor)
        if holding.owner == owner:
            return Lease(leases, holding, seconds, asked + seconds, clock)
        if dead(holding.owner) and leases.release(name, holding.token):
            continue
        if clock() >= end:
            raise held_by(holding, wait)
        if told != holding.token:
            waiting(holding)
            told = holding.token
        sleep(min(0.2, max(holding.expires_in, 0.02)))


def held_by(holding: Holding, waited: float) -> LeaseHeld:
    return LeaseHeld(
        "lease-held",
        f"another run holds the lease: {holding.owner}",
        where=f"lease {holding.name}, token {holding.token}, since {holding.taken_at:%Y-%m-%d %H:%M:%S} UTC,"
        f" expires in {max(holding.expires_in, 0):.0f} s; waited {waited:.0f} s",
        fix="wait for it to end; if it is gone for good, the lease expires by itself, or `provision lock release`",
    )
