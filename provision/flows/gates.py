"""Backfills that an `up` runs by itself: small ones that a revision waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from provision.backfill.workers import StopEvent
from provision.core.execute import Coordinator, EventNumbering
from provision.core.plan import Standings
from provision.errors import CapabilityMissing, Interrupted, LeaseHeld, ProvisionError
from provision.flows import backfill as flow
from provision.flows.backfill import BackfillContext, BackfillRequest
from provision.flows.connect import Site
from provision.model import Blocked, Failure, Listener, Note, Owner
from provision.model.backfills import SMALL, Backfill, BackfillRun
from provision.ports import Leases


@dataclass(frozen=True, slots=True)
class BackfillGates:
    """What an `up` needs to fill: the project's backfills by id, who it is, where leases are (None: without)."""

    site: Site
    backfills: Mapping[str, Backfill]
    owner: Owner
    leases: Leases | None
    happened: Listener
    stopper: Callable[[Coordinator], None]
    check: Callable[[], None]  # of the run lock; raises LeaseLost
    tried: set[str] = field(default_factory=set)

    def small(self, held: Iterable[Blocked], standings: Standings) -> list[Backfill]:
        """Those that are waited for, can be run now, and touch a small table. Reads only."""
        waited = dict.fromkeys(gate for each in held for gate in each.waits_for)
        known = [self.backfills[gate] for gate in waited if gate in self.backfills and gate not in self.tried]
        return [each for each in known if self._ready(each, standings) and self._is_small(each)]

    def fill(self, chosen: Backfill, held: Sequence[Blocked], pens: Mapping[str, EventNumbering]) -> Failure | None:
        """Run one; the failure of what waits for it, if it failed. A run led elsewhere is not taken over."""
        self.tried.add(chosen.id)
        store = self.site.stores[chosen.store]
        waiting = next(each.step for each in held if chosen.id in each.waits_for)
        stopped = _Stopped()
        self.stopper(stopped)
        place = BackfillContext(
            self.site.project.name, self.site.stores, self.owner, self.leases, self.site.project.lease_seconds
        )

        def complete(found: BackfillRun) -> None:
            store.ledger.create()
            self.check()
            store.ledger.append(flow.completion(pens[chosen.store], chosen, found))

        try:
            found = flow.run(place, chosen, BackfillRequest(stopped=stopped.event, check=self.check), complete)
        except LeaseHeld as error:
            self.happened(Note(chosen.store, error.what))
            return None
        except ProvisionError as error:
            failure = Failure(waiting, error)
            self.happened(failure)
            return failure
        self.happened(Note(chosen.store, f"{chosen.id} is complete: {found.rows_done:,} rows filled"))
        return None

    def _ready(self, each: Backfill, standings: Standings) -> bool:
        applied = {name for standing in standings.values() for name in standing.applied}
        return each.stores <= self.site.stores.keys() and all(need in applied for need in each.requires)

    def _is_small(self, each: Backfill) -> bool:
        batches = self.site.stores[each.store].batches
        if batches is None:
            return False
        try:
            bound = flow.bound(self.site.stores, each)
        except CapabilityMissing:
            return False  # `backfill run` says why
        with closing(batches.work(bound)) as work:
            if work.refused():
                return False  # `backfill run` says why
            size = work.size()
        return size is not None and size < SMALL


class _Stopped(Coordinator):
    """Hands a request to stop on to the workers of a backfill."""

    def __init__(self) -> None:
        super().__init__(0)
        self.event = StopEvent()

    def stop(self, reason: Exception) -> None:
        super().stop(reason)
        self.event.by = reason.by if isinstance(reason, Interrupted) else str(reason)
        self.event.set()
