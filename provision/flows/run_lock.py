"""The run lock of the home store, held while a block runs."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from provision.core import lease as leases
from provision.core.plan import Standings
from provision.errors import ConfigError, ProvisionError, Several
from provision.flows.connect import Site, leases_of
from provision.flows.rules import Listeners, Rules
from provision.flows.survey import survey
from provision.model import RUN_LOCK, LeaseRecord, Note
from provision.ports import Leases
from provision.process import dead

Answer = TypeVar("Answer")
# What is refused because of a state that a run at work goes through.
_OF_A_RUN = {
    *("half-applied", "dirty", "required-by-others", "requirement-not-met", "nothing-to-resolve", "already-applied"),
    "schema-differs",
}


class HeldLock:
    """The lease of a run, or nothing where the run goes without."""

    def __init__(self, token: int, lease: leases.Lease | None) -> None:
        self.token, self._lease = token, lease

    @property
    def until(self) -> float:
        """The monotonic time until which `check` need ask nobody; minus infinity once the lease is lost."""
        return math.inf if self._lease is None else self._lease.until

    @property
    def unanswered(self) -> bool:
        """Whether the lock has run out because the home store does not answer."""
        return self._lease is not None and self._lease.unanswered

    def check(self) -> None:
        """Raises LeaseLost, FellSilent."""
        if self._lease is not None:
            self._lease.check()

    def abandon(self) -> None:
        """Leave the lock to run out: a statement that was sent under it may still be at work."""
        if self._lease is not None:
            self._lease.abandon()

    def check_writing(self) -> None:
        """Raises LeaseLost, but not yet where the lock was asked back and is not given up."""
        if self._lease is not None:
            self._lease.check_writing()


@contextmanager
def leased(site: Site, standings: Standings, rules: Rules, watch: Listeners) -> Iterator[HeldLock]:
    """Hold the run lease in the home store while the block runs."""
    floor = max((standing.token for standing in standings.values()), default=0)
    if not rules.use_lease:
        yield HeldLock(floor + 1, None)
        return
    table = home(site)
    leases.answered(table.create, site.project.lease_seconds)

    def waiting(holding: LeaseRecord) -> None:
        watch.happened(Note(site.project.home, leases.awaited(holding)))

    def sleep(seconds: float) -> None:
        watch.check()
        time.sleep(seconds)

    lease = leases.acquire(
        table,
        RUN_LOCK,
        rules.owner,
        floor=floor,
        seconds=site.project.lease_seconds,
        wait=rules.wait,
        waiting=waiting,
        dead=dead,
        sleep=sleep,
    )
    try:
        yield HeldLock(lease.token, lease)
    finally:
        lease.release()


def beside(
    site: Site, standings: Standings, rules: Rules, watch: Listeners, ask: Callable[[Standings], Answer]
) -> Answer:
    """What `ask` says of the standings. What it refuses while another run is at work may be what that run has not
    ended yet: it is waited for as for the lock, and its end is asked about. Raises LeaseHeld.
    """
    try:
        return ask(standings)
    except ProvisionError as error:
        codes = {each.code for each in error.errors} if isinstance(error, Several) else {error.code}
        found = at_work(site) if rules.use_lease and codes & _OF_A_RUN else None
        if found is None:
            raise
        if rules.dry_run:
            raise leases.held_by(found, 0.0) from None
    with leased(site, standings, rules, watch):
        pass  # it has ended; what it leaves may still be of no use, and that is for `ask` to say
    return ask(survey(site))


def at_work(site: Site) -> LeaseRecord | None:
    """Who holds the run lock now, seen without taking it; None where no store of this environment keeps it."""
    if site.project.home not in site.stores:
        return None
    found = leases.answered(lambda: home(site).read(RUN_LOCK), site.project.lease_seconds)
    return found if found is not None and found.expires_in > 0 and not dead(found.owner) else None


def home(site: Site) -> Leases:
    """The leases of the home store. Raises ConfigError (no-home) and CapabilityMissing."""
    name = site.project.home
    if name == "none":
        raise ConfigError(
            "no-home",
            'home is "none": no store keeps the run lock',
            where=site.project.file.name,
            fix="run with --no-lock, or name a home store",
        )
    if name not in site.stores:
        raise ConfigError(
            "no-home",
            f"the home store {name} is {site.reached[name].reach.replace('_', ' ')} here",
            where=f"environment {site.environment.name}",
            fix=f"set {name}.url, or run with --no-lock",
        )
    return leases_of(name, site.stores)
