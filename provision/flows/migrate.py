"""Moves the stores: survey, plan, refuse, lease, survey and plan again, execute."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from provision.core.plan import MoveRequest, Standings, refuse_beneath
from provision.core.standing import Flag, Standing
from provision.errors import FellSilent
from provision.flows import leftovers
from provision.flows.connect import Site, together
from provision.flows.losses import Allowed, foreseen, with_committed
from provision.flows.planning import fresh_plan, planned
from provision.flows.rules import Listeners, Rules
from provision.flows.run_lock import HeldLock, beside, home, leased
from provision.flows.survey import survey
from provision.model import Direction, Event, EventKind, Note, Plan, Report, Revision, Step
from provision.ports import Store

if TYPE_CHECKING:
    from provision.core.execute import Coordinator, EventNumbering
    from provision.core.silence import Silences
    from provision.flows.gates import BackfillGates
    from provision.model.backfills import Backfill
    from provision.model.statements import Running


def move(site: Site, direction: Direction, wanted: MoveRequest, rules: Rules, watch: Listeners) -> Report:
    """Carry out what is wanted. Raises before the first statement; afterwards the report says what went wrong.

    Raises RefusedError, ConfigError, UnreachableError, LeaseHeld.
    """
    standings, plan = _looked(site, direction, wanted, rules, watch)
    kept = leftovers.due(site, wanted) if direction is Direction.UP else []
    idle = not (plan.steps or outside(standings) or begun(standings, direction) or kept)
    allowed = Allowed(rules)
    if rules.dry_run or (idle and not _small(site, rules, watch, plan, standings)):
        watch.losing(foreseen(site, plan.steps))
        watch.planned(plan, standings)
        leftovers.announce(kept, watch.happened)
        return Report(held=plan.held, remaining=plan.steps if rules.dry_run else ())
    if site.outlined:
        return move(site.whole(), direction, wanted, rules, watch)
    _try_files(site, plan.steps)
    allowed.ask(site, plan.steps)
    _wait_until_free(site, plan.steps, rules, watch)
    agreed = {step.id for step in plan.steps}
    with leased(site, standings, rules, watch) as held:
        run = _Running(site, rules, watch, held, _pens(site, held, rules), allowed)
        standings, plan = run.get_ready(
            standings, plan, lambda found: fresh_plan(site, direction, wanted, rules, found)
        )
        allowed.ask(site, plan.steps, agreed)
        finished = run.finish_begun(standings, direction)
        if finished.remaining:
            return with_committed(finished)
        if finished.done:
            standings = survey(site)
            plan = planned(site, direction, wanted, rules, standings)
        recorded = run.record_outside(standings)
        watch.planned(plan, standings)
        report = run.fill(run.carry_out(plan, standings), wanted)
        ended = direction is Direction.UP and not report.remaining
        removed = leftovers.remove(site, wanted, held.check, watch.happened) if ended else ()
    report = replace(report, done=(*finished.done, *report.done), recorded=recorded, removed=removed)
    return with_committed(report)


def _looked(
    site: Site, direction: Direction, wanted: MoveRequest, rules: Rules, watch: Listeners
) -> tuple[Standings, Plan]:
    """What is there before the lock is held, and the plan that it asks for."""
    standings: Standings = survey(site) if site.standings is None else site.standings

    def ask(found: Standings) -> tuple[Standings, Plan]:
        return found, fresh_plan(site, direction, wanted, rules, found)

    return beside(site, standings, rules, watch, ask)


def _try_files(site: Site, steps: Sequence[Step]) -> None:
    """Before anything is applied in any store. Raises ConfigError for every file that cannot be carried out."""
    if steps:
        from provision.flows.file_trial import try_files  # most runs find nothing to move

        try_files(site.stores, steps, imports=False)


def _wait_until_free(site: Site, steps: Sequence[Step], rules: Rules, watch: Listeners) -> None:
    if steps:
        from provision.flows.hindrances import wait_until_free  # most runs find nothing to move

        wait_until_free(site, steps, rules.wait, watch)


def outside(standings: Standings) -> list[tuple[str, Standing]]:
    """What the peers' tables say and the ledgers do not."""
    flags = {Flag.APPLIED_OUTSIDE, Flag.REVERTED_OUTSIDE}
    return [
        (name, each)
        for name, standing in standings.items()
        for each in standing.standings.values()
        if each.flags & flags
    ]


def begun(standings: Standings, direction: Direction) -> list[Step]:
    """Downs that were begun and not ended: an `up` finishes them first."""
    if direction is Direction.DOWN:
        return []
    return [
        Step(each.revision, Direction.DOWN)
        for standing in standings.values()
        for each in standing.standings.values()
        if each.revision is not None and each.state.open and each.state.direction is Direction.DOWN
    ]


class _Running:
    """One run, from the moment that it holds the lease."""

    def __init__(
        self,
        site: Site,
        rules: Rules,
        watch: Listeners,
        held: HeldLock,
        pens: Mapping[str, EventNumbering],
        allowed: Allowed,
    ) -> None:
        self._site, self._rules, self._watch, self._held, self._pens = site, rules, watch, held, pens
        self._allowed = allowed
        self._board: Coordinator | None = None

    def get_ready(
        self, standings: Standings, plan: Plan, replan: Callable[[Standings], Plan]
    ) -> tuple[Standings, Plan]:
        """Shut earlier runs out of the stores, and only then survey and plan: what is found cannot change any more.

        Where the new plan turns to further stores, they are shut too, and all is looked at again. So is a store that
        nobody has written to yet, while an earlier run is about to: what it commits would come behind our look.
        """
        shut = more = self._to_shut(standings, plan)
        while True:
            stores = [store for name, store in self._site.stores.items() if name in more]
            make_ready(self._site, stores, self._held, self._rules.wait, self._watch)
            standings = survey(self._site)
            plan = replan(standings)
            more = self._to_shut(standings, plan) - shut
            if not more:
                return standings, plan
            shut = shut | more

    def _to_shut(self, standings: Standings, plan: Plan) -> set[str]:
        from provision.core.resume import older

        touched = _touched(standings, plan)
        others = [store for name, store in self._site.stores.items() if name not in touched]
        return touched | {store.name for store, _ in older(others, self._site.project.name, self._held.token)}

    def finish_begun(self, standings: Standings, direction: Direction) -> Report:
        """Finish downs that an earlier run began, in the reverse order of the graph. Raises RefusedError."""
        steps = begun(standings, direction)
        if not steps:
            return Report()
        refuse_beneath(self._site.graph, standings, steps)
        position = self._site.graph.position
        self._allowed.begun(steps, {id_: each for of in standings.values() for id_, each in of.standings.items()})
        ordered = sorted(steps, key=lambda step: -position[step.id])
        return self.carry_out(Plan(tuple(ordered)), standings)

    def record_outside(self, standings: Standings) -> tuple[Event, ...]:
        """Write down what the peers did on their own."""
        recorded = []
        for name, each in outside(standings):
            kind = EventKind.ADOPTED if Flag.APPLIED_OUTSIDE in each.flags else EventKind.REVERTED
            revision = each.revision or nameless(each.id)
            self._held.check()
            event = self._pens[name].event(revision, kind, outside=True)
            self._site.stores[name].ledger.append(event)
            recorded.append(event)
        return tuple(recorded)

    def fill(self, report: Report, wanted: MoveRequest) -> Report:
        """Run the small backfills that revisions wait for, and then those revisions, until there are none."""
        partial = wanted.steps is not None or self._rules.saved is not None
        if not report.held or partial:
            return report
        gates = _gates(self._site, self._rules, self._watch, self._held.check)
        while report.held and not (report.remaining or report.failures):
            small = gates.small(report.held, survey(self._site))
            for each in small:
                if (failure := gates.fill(each, report.held, self._pens)) is not None:
                    return replace(report, failures=(failure,), remaining=tuple(h.step for h in report.held))
            if not small:
                return report
            standings = survey(self._site)
            more = self.carry_out(planned(self._site, Direction.UP, wanted, self._rules, standings), standings)
            taken = report.duration_ms + more.duration_ms
            report = replace(more, done=(*report.done, *more.done), duration_ms=taken)
        return report

    def carry_out(self, plan: Plan, standings: Standings) -> Report:
        from provision.core.execute import Coordinator, Execution, execute
        from provision.core.resume import settle

        board = Coordinator(len({step.revision.store for step in plan.steps}))
        if self._board is not None and self._board.stopped is not None:
            board.stop(self._board.stopped)  # asked for between the two halves of this run
        self._board = board
        self._watch.stopper(board)
        run = Execution(
            pens=self._pens,
            board=board,
            check=self._held.check,
            watcher=self._watch.happened,
            resume=settle(plan.steps, standings, self._site.stores),
            mask=self._site.environment.mask,
            until=lambda: self._held.until,
            check_writing=self._held.check_writing,
            may_lose=self._allowed.may_lose,
            interrupted=self._interrupted,
            silences=self._silences(plan),
        )
        report = execute(plan, self._site.stores, run)
        if any(isinstance(each.error, FellSilent) for each in report.failures):
            self._held.abandon()  # what was sent may still be at work
        return report

    def _silences(self, plan: Plan) -> Silences:
        from provision.core.silence import Silences

        project = self._site.project
        looks = {step.revision.store: partial(self._site.look, step.revision.store) for step in plan.steps}
        return Silences(looks, project.home, project.lease_seconds, lambda: self._held.unanswered)

    def _interrupted(self, error: BaseException, at_work: bool) -> None:
        if at_work:
            self._held.abandon()  # else the next run would begin beside a statement of this one
        self._watch.interrupted(error)


def _pens(site: Site, held: HeldLock, rules: Rules) -> dict[str, EventNumbering]:
    from provision.core.execute import EventNumbering  # most runs find nothing to execute

    return {name: EventNumbering(site.project.name, held.token, rules.owner.actor) for name in site.stores}


def make_ready(site: Site, stores: Sequence[Store], held: HeldLock, wait: float, watch: Listeners) -> None:
    """Make the stores' ledgers, outlast older statements for `wait` seconds, then refuse events of older tokens.

    Once the fence is up they are looked for again: what an earlier run began in between shows now, or is refused. Not
    only then: the transaction of a frozen run may hold the fence, and would be waited for without an end.
    """
    from provision.core.resume import older, wait_out

    def ready(store: Store) -> None:
        store.prepare()
        store.ledger.create()

    def tell(store: Store, running: Running) -> None:
        text = " ".join(running.text.split())
        watch.happened(
            Note(store.name, f"an earlier run's statement is still running ({running.seconds:.0f} s): {text}")
        )

    def check() -> None:
        held.check()
        watch.check()

    together(stores, ready)
    wait_out(lambda: older(stores, site.project.name, held.token), wait, tell, check=check)
    together(stores, lambda store: store.ledger.raise_fence(held.token))
    wait_out(lambda: older(stores, site.project.name, held.token), wait, tell, check=check)


def _touched(standings: Standings, plan: Plan) -> set[str]:
    """The stores that this run writes to, or that an earlier one has written to."""
    touched = {step.revision.store for step in plan.steps} | {name for name, _ in outside(standings)}
    return touched | {name for name, standing in standings.items() if standing.token}


def nameless(name: str) -> Revision:
    """A revision of which no more than the id is known: its file is gone."""
    store, number = name.split("/", 1)
    return Revision(store, number, "", "", "", "")


def _small(site: Site, rules: Rules, watch: Listeners, plan: Plan, standings: Standings) -> Sequence[Backfill]:
    """The backfills that this run would do by itself."""
    return _gates(site, rules, watch).small(plan.held, standings) if plan.held else ()


def _gates(site: Site, rules: Rules, watch: Listeners, check: Callable[[], None] = lambda: None) -> BackfillGates:
    # Few projects hold a revision back, and a run that does not pays nothing for what backfills need.
    from provision.flows.gates import BackfillGates

    table = home(site) if rules.use_lease and rules.backfills else None
    return BackfillGates(site, rules.backfills, rules.owner, table, watch.happened, watch.stopper, check)
