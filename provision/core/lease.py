"""The run lock as a run holds it: taken with a wait, kept alive by a heartbeat, checked before every statement."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from provision.errors import FellSilent, LeaseHeld, LeaseLost, ProvisionError, UnreachableError
from provision.model import UNKNOWN_HOLDER, Heartbeat, LeaseRecord, Owner
from provision.ports import Leases
from provision.threads import Call, Late

R = TypeVar("R")
Clock = Callable[[], float]

# Shares of the lease's length. Together less than a third: so long is a mark seen, and answered, at the latest.
BEAT = 0.2  # between two signs of life
GRACE = 0.1  # between the last time that `check` can pass and the moment when another run may begin
HELD = "another run holds the run lock"
WAIT = "wait for it to end; if it is gone for good, the lock expires by itself, or `provision lock release`"


class Lease:
    """A lease that is held. `check` costs nothing while the holder's own monotonic deadline lies ahead.

    Once it is lost or asked back, `check` raises LeaseLost for good. One that is asked back is given up by the
    heartbeat, a grace later: what has just passed `check` is sent by then. No question to the home store is waited for
    longer than the lease lives: one that took it and stays silent is left alone.
    """

    def __init__(self, leases: Leases, holding: LeaseRecord, seconds: float, asked: float, clock: Clock) -> None:
        self.token = holding.token
        self._leases, self._name, self._owner = leases, holding.name, holding.owner
        self._seconds, self._clock = seconds, clock
        self._lost: LeaseLost | None = None
        self._abandoned = False
        self._writable = -math.inf
        self._until = asked + min(holding.expires_in, seconds) - seconds * GRACE
        self._renewing = threading.Lock()
        self._ended = threading.Event()
        self._beat = threading.Thread(target=self._heartbeat, name="lease", daemon=True)
        self._beat.start()

    @property
    def until(self) -> float:
        """The monotonic time until which `check` need ask nobody; minus infinity once the lease is lost."""
        return -math.inf if self._abandoned else self._until

    @property
    def unanswered(self) -> bool:
        """Whether the time is over and nobody has said that the lease is lost: the home store does not answer."""
        return self._lost is None and self._clock() >= self._until

    def check(self) -> None:
        """Return while the lease is ours. After a gap, ask the home store; raises LeaseLost once it is not.

        Raises FellSilent where that does not answer.
        """
        if self._clock() < self.until:
            return
        if not self._renewing.acquire(timeout=self._seconds / 3):
            raise FellSilent.home(self._seconds)  # the heartbeat has asked, and waits
        try:
            if self._clock() >= self.until:
                self._extend()
        finally:
            self._renewing.release()

    def check_writing(self) -> None:
        """As `check`, for writing down what is done: one that was asked back is ours until it is given up."""
        if self._abandoned or self._clock() >= self._writable:
            self.check()

    def release(self) -> None:
        """Give the lease back. A lease that was lost, or a home store that is gone, needs no giving back."""
        self._ended.set()
        if self._abandoned:
            return
        self._beat.join(self._seconds * BEAT)
        if not self._beat.is_alive():
            self._give_up()

    def abandon(self) -> None:
        """Let nothing more be sent under it, and leave it to run out: what was sent may still be at work."""
        # Not under `_renewing`: who has that may wait for a home store that is silent.
        self._abandoned, self._lost = True, self._lost or LeaseLost()
        self._ended.set()

    def _extend(self) -> None:
        """Ask for more time. Raises LeaseLost, the same for good, and whatever keeps the home store from answering."""
        if self._lost is None:
            asked = self._clock()
            question = partial(self._leases.extend, self._name, self._owner, self.token, self._seconds)
            try:
                beat = Call(question, "lease asks").result(self._seconds)
            except Late:
                raise FellSilent.home(self._seconds) from None
            if beat is Heartbeat.KEPT:
                self._until = asked + self._seconds * (1 - GRACE)
                return
            # Half of the grace, so that what is written is there when the next run looks.
            self._writable = asked + self._seconds * GRACE / 2 if beat is Heartbeat.ASKED_BACK else -math.inf
            self._until, self._lost = -math.inf, LeaseLost()
            self._lost = self._named(beat)
        raise self._lost

    def _named(self, beat: Heartbeat) -> LeaseLost:
        """The loss with the name of who is behind it, where the home store still tells."""
        try:
            holding = Call(partial(self._leases.read, self._name), "lease reads").result(self._seconds * BEAT)
        except (ProvisionError, Late):
            holding = None
        if beat is Heartbeat.ASKED_BACK:
            return LeaseLost(asked_by=(holding and holding.asked_back_by) or "somebody")
        return LeaseLost(str(holding.owner) if holding else "")

    def _heartbeat(self) -> None:
        while not self._ended.wait(self._seconds * BEAT):
            try:
                with self._renewing:
                    self._extend()
            except LeaseLost:
                self._ended.wait(self._seconds * GRACE)
                if not self._abandoned:
                    self._give_up()  # of a lease that another run has, nothing is there to give
                return
            except Exception:  # whatever it was, `check` meets it in the thread that wants to send something
                continue  # no answer is no loss yet

    def _give_up(self) -> None:
        back = Call(partial(self._leases.release, self._name, self._owner, self.token), "lease ends")
        try:
            back.result(self._seconds * BEAT)
        except Exception:
            return  # it runs out by itself


def acquire(
    leases: Leases,
    name: str,
    owner: Owner,
    *,
    floor: int,
    seconds: float,
    wait: float,
    waiting: Callable[[LeaseRecord], None],
    dead: Callable[[Owner], bool],
    clock: Clock = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
    what: str = HELD,
    fix: str = WAIT,
) -> Lease:
    """Take the lease, waiting up to `wait` seconds for its holder. Raises LeaseHeld: `what`, its holder, and `fix`.

    What `sleep` raises ends the wait.

    `waiting` is told once for each holder that is in the way, and once more when that one is asked to give it up.
    A holder that `dead` knows to be gone is not waited for.
    """
    end = clock() + wait
    told: tuple[object, ...] = ()
    while True:
        asked = clock()
        holding = answered(partial(leases.take, name, owner, seconds, floor), seconds)
        if holding.owner == owner:
            return Lease(leases, holding, seconds, asked, clock)
        if dead(holding.owner) and leases.release(name, holding.owner, holding.token):
            continue
        if clock() >= end:
            raise held_by(holding, wait, what, fix)
        if told != (now := (holding.owner, holding.token, holding.asked_back_by)):
            waiting(holding)
            told = now
        sleep(min(0.2, max(holding.expires_in, 0.02)))


def answered(question: Callable[[], R], seconds: float) -> R:
    """The home store's answer, before anything was done. Raises UnreachableError where it took it and says nothing."""
    try:
        return Call(question, "run lock").result(seconds)
    except Late:
        what = f"the home store does not answer: nothing came back for {seconds:.0f} s"
        fix = "see that it runs and that the network lets its answers through"
        raise UnreachableError("unreachable", what, where="run lock", fix=fix) from None


def awaited(holding: LeaseRecord) -> str:
    """For people: whom a run waits for, and until when at most."""
    if holding.owner == UNKNOWN_HOLDER:
        return f"waits {left(holding)} s for {holding.owner}: it may be at work"
    if holding.asked_back_by:
        return (
            f"waits for the run of {holding.owner}, which {holding.asked_back_by} asked to give the run lock up;"
            f" it is free in {left(holding)} s at the latest"
        )
    return f"waits for the run of {holding.owner}; the run lock expires in {left(holding)} s unless that renews it"


def left(holding: LeaseRecord) -> int:
    """Whole seconds until the lease has expired, rounded up."""
    return max(math.ceil(holding.expires_in), 0)


def held_by(holding: LeaseRecord, waited: float, what: str = HELD, fix: str = WAIT) -> LeaseHeld:
    """The error for a lock that was not given up in `waited` seconds."""
    asked = f", asked back by {holding.asked_back_by}" if holding.asked_back_by else ""
    return LeaseHeld(
        "lease-held",
        f"{what}: {holding.owner}",
        where=f"lock {holding.name}, token {holding.token}, since {holding.taken_at:%Y-%m-%d %H:%M:%S} UTC,"
        f" expires in {max(holding.expires_in, 0):.0f} s{asked}; waited {waited:.0f} s",
        fix=fix,
    )
