"""What is there: the files, the ledgers, the plan, the state of everything. Writes nothing but `new`'s files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provision.core.graph import Graph
from provision.core.plan import MoveRequest
from provision.flows import history as past
from provision.flows import look
from provision.flows.connect import Access
from provision.flows.doctor import Checkup
from provision.flows.file_trial import try_files
from provision.flows.history import HistoryEntry
from provision.flows.look import ProjectStatus
from provision.flows.losses import Losses, foreseen
from provision.flows.planning import planned
from provision.flows.survey import survey
from provision.model import Direction, Plan, Revision
from provision.model.statements import Description
from provision.project.opened import Names, Opened, at_least, names
from provision.wiring import checkup, files, moves, sites

if TYPE_CHECKING:
    from provision.flows.verify import LedgerReport


class Reading(Opened):
    """Reads files and servers."""

    def status(self, *, only: Names = (), tolerant: bool = False) -> ProjectStatus:
        """What is applied and pending, store by store.

        A store that does not answer raises UnreachableError; with `tolerant` it is said in `unreachable` instead.
        Raises RefusedError (ledger-illegal), ConfigError.
        """
        wanted = names(only)
        with self._opened(Access.READ, wanted, narrow=Direction.UP, tolerant=tolerant) as site:
            found = look.look(site)
        for error in found.unreachable.values():
            sites.hide(error, self._environment)
        if not wanted:
            return found
        standings = {name: each for name, each in found.standings.items() if name in wanted}
        unreachable = {name: each for name, each in found.unreachable.items() if name in wanted}
        return replace(found, standings=standings, unreachable=unreachable)

    def plan(self, *targets: str, only: Names = (), steps: int | None = None, out_of_order: bool = False) -> Plan:
        """What `up` would do, with the same options. Raises RefusedError where `up` would be refused.

        Given to `up`, it is carried out as it is, or not at all.
        """
        at_least(1, steps=steps)
        return self._planned(
            Direction.UP, MoveRequest(targets, frozenset(names(only)), steps, out_of_order=out_of_order)
        )

    def plan_down(
        self,
        *targets: str,
        only: Names = (),
        steps: int | None = None,
        everything: bool = False,
        cascade: bool = False,
    ) -> Plan:
        """What `down` would do, with the same options. Raises RefusedError where `down` would be refused."""
        at_least(1, steps=steps)
        return self._planned(Direction.DOWN, MoveRequest(targets, frozenset(names(only)), steps, everything, cascade))

    def losses(self, plan: Plan) -> Losses:
        """Id → what the step would lose of what the databases hold now, in words; steps that lose nothing are left out.

        A plan with losses needs `allow_destructive`.
        """
        with self._opened(Access.READ, {step.revision.store for step in plan.steps}) as site:
            found = foreseen(site, plan.steps)
        return moves.hidden_losses(found, self._environment.mask)

    def describe(self, plan: Plan) -> tuple[Description, ...]:
        """What each step of a plan does, in its order: `statements`, or `reason` where they cannot be told offline.

        Reaches no database: `destructive` is what a step can lose by itself, `losses` what it would lose of what is
        there. Raises ConfigError for everything that is wrong in any file.
        """
        mask = self._environment.mask
        with sites.masked(self._environment):
            found = files.described(plan, files.stores(self._project, self._environment))
        return tuple(
            replace(each, statements=each.statements and tuple(map(mask, each.statements)), reason=mask(each.reason))
            for each in found
        )

    def graph(self) -> Graph:
        """All revisions on disk: `order`, `heads(store)`, `needs(ids)`, `dependents(ids)`; reaches no database.

        Raises ConfigError for everything that is wrong in any file.
        """
        return files.on_disk(self._project)[1]

    def revisions(self, *, only: Names = ()) -> tuple[Revision, ...]:
        """The revisions on disk in the order in which `up` applies them; reaches no database. Raises as `graph`."""
        wanted = names(only)
        _, found = files.on_disk(self._project, wanted)
        return tuple(each for each in found.order if not wanted or each.store in wanted)

    def history(
        self, revision: str | None = None, *, only: Names = (), limit: int | None = None
    ) -> tuple[HistoryEntry, ...]:
        """What was done, newest last: `store` and `event` of each entry of the ledgers; of one revision if it is named.

        `limit`: only the last so many. Raises ConfigError (no-such-revision), UnreachableError.
        """
        at_least(1, limit=limit)
        wanted = names(only) or self.stores
        with self._opened(Access.READ, wanted, narrow=Direction.UP) as site:
            found = past.entries(site, wanted, revision, limit)
        return tuple(HistoryEntry(each.store, moves.hidden_event(each.event, self._environment.mask)) for each in found)

    def verify_ledgers(self, *, only: Names = (), since: datetime | None = None) -> tuple[LedgerReport, ...]:
        """The ledger of each store, held against what correct runs can write: `illegal` entries, and whether any is
        `wrong`, which those that a person has settled since, or that are older than `since`, are not.

        Raises ConfigError (ledger-unreadable), RefusedError (newer-schema), UnreachableError.
        """
        from provision.flows.verify import verified  # needed here alone

        wanted = names(only) or self.stores
        with self._opened(Access.READ, wanted, narrow=Direction.UP) as site:
            return verified(site, wanted, since)

    def doctor(self) -> Checkup:
        """Everything that looking at the machine, the files and the servers showed; `wrong` when anything is an error.

        A server that does not answer is a finding too, and sets `unreachable`.
        """
        return checkup.checkup(self._project, self.env, self._variables)

    def new(self, store: str, message: str, *, requires: Sequence[str] = ()) -> tuple[Path, ...]:
        """Write the next migration file of a store, to be filled in, and return what was written.

        `requires` are ids of any store that must be applied before. Raises ConfigError (unknown-store, bad-message,
        missing-requirement, no-draft, unwritable-file, what is wrong in its files).
        """
        return tuple(files.new(self._project, store, message, names(requires)))

    def _planned(self, direction: Direction, wanted: MoveRequest) -> Plan:
        with self._opened(Access.READ, wanted.only, narrow=direction) as site:
            plan = planned(site, direction, wanted, self._rules(), survey(site))
            try_files(site.known, plan.steps)
        return plan
