"""Moves the stores: survey, plan, refuse, lease, survey and plan again, execute."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from provision.core import lease as leases
from provision.core.execute import Board, Pen, Run, execute
from provision.core.plan import Standings, Wanted, first_moved, moved, plan_down, plan_up
from provision.core.resume import older, settle, wait_out
from provision.core.standing import Flag, Standing
from provision.errors import CapabilityMissing, ConfigError, RefusedError
from provision.flows import leftovers, peers
from provision.flows.connect import Reach, Site, together
from provision.flows.losses import Allowed, Losses, foreseen, with_committed
from provision.flows.survey import survey
from provision.model import (
    Direction,
    Event,
    EventKind,
    Holding,
    Note,
    Owner,
    Plan,
    Report,
    Revision,
    Running,
    Step,
    Watcher,
)
from provision.ports import Leases, Store
from provision.process import dead

if TYPE_CHECKING:
    from provision.flows.gates import Gatekeeper
    from provision.model.backfills import Backfill


@dataclass(frozen=True, slots=True)
class Rules:
    """How a move may go. `wait` is in seconds; `confirm` is asked about losses that no flag allowed."""

    owner: Owner
    wait: float = 600.0
    use_lease: bool = True
    dry_run: bool = False
    allow_destructive: bool = False
    confirm: Callable[[Losses], bool] = field(default=lambda _: False)
    saved: Plan | None = None
    backfills: Mapping[str, Backfill] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Watch:
    """Whom to tell. `planned` is called once with what is about to run; `stopper` receives the board to stop.

    `losing` is called before `planned` in a dry run, with what the steps would lose.
    """

    happened: Watcher
    planned: Callable[[Plan, Standings], None]
    stopper: Callable[[Board], None] = field(default=lambda _: None)
    losing: Callable[[Losses], None] = field(default=lambda _: None)


def move(site: Site, direction: Direction, wanted: Wanted, rules: Rules, watch: Watch) -> Report:
    """Carry out what is wanted. Raises before the first statement; afterwards the report says what went wrong.

    Raises RefusedError, ConfigError, UnreachableError, LeaseHeld.
    """
    standings: Standings = survey(site)
    plan = _fresh_plan(site, direction, wanted, rules, standings)
    kept = leftovers.due(site, wanted) if direction is Direction.UP else []
    idle = not (plan.steps or outside(standings) or begun(standings, direction) or kept)
    allowed = Allowed(rules)
    if rules.dry_run or (idle and not _small(site, rules, watch, plan, standings)):
        watch.losing(foreseen(site, plan.steps))
        watch.planned(plan, standings)
        leftovers.announce(kept, watch.happened)
        return Report(held=plan.held, remaining=plan.steps if rules.dry_run else ())
    allowed.ask(site, plan.steps)
    agreed = {step.id for step in plan.steps}
    with leased(site, standings, rules, watch) as held:
        pens = {name: Pen(site.project.name, held.token, rules.owner.actor) for name in site.stores}
        run = _Running(site, rules, watch, held, pens, allowed)
        standings, plan = run.get_ready(
            standings, plan, lambda found: _fresh_plan(site, direction, wanted, rules, found)
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


class Held:
    """The lease of a run, or nothing where the run goes without."""

    def __init__(self, token: int, lease: leases.Lease | None) -> None:
        self.token, self._lease = token, lease

    @property
    def until(self) -> float:
        """The monotonic time until which `check` need ask nobody; minus infinity once the lease is lost."""
        return math.inf if self._lease is None else self._lease.until

    def check(self) -> None:
        """Raises LeaseLost."""
        if self._lease is not None:
            self._lease.check()

    def check_writing(self) -> None:
        """Raises LeaseLost, but not yet where the lock was asked back and is not given up."""
        if self._lease is not None:
            self._lease.check_writing()


class _Running:
    """One run, from the moment that it holds the lease."""

    def __init__(
        self, site: Site, rules: Rules, watch: Watch, held: Held, pens: Mapping[str, Pen], allowed: Allowed
    ) -> None:
        self._site, self._rules, self._watch, self._held, self._pens = site, rules, watch, held, pens
        self._allowed = allowed
        self._board: Board | None = None

    def get_ready(
        self, standings: Standings, plan: Plan, replan: Callable[[Standings], Plan]
    ) -> tuple[Standings, Plan]:
        """Shut earlier runs out of the stores, and only then survey and plan: what is found cannot change any more.

        Where the new plan turns to further stores, they are shut too, and all is looked at again.
        """
        shut = more = _touched(standings, plan)
        while True:
            stores = [store for name, store in self._site.stores.items() if name in more]
            make_ready(self._site, stores, self._held, self._rules.wait, self._watch)
            standings = survey(self._site)
            plan = replan(standings)
            more = _touched(standings, plan) - shut
            if not more:
                return standings, plan
            shut = shut | more

    def finish_begun(self, standings: Standings, direction: Direction) -> Report:
        """Finish downs that an earlier run began, in the reverse order of the graph."""
        steps = begun(standings, direction)
        if not steps:
            return Report()
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

    def fill(self, report: Report, wanted: Wanted) -> Report:
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
                gates.unknown(report.held)
                return report
            standings = survey(self._site)
            more = self.carry_out(planned(self._site, Direction.UP, wanted, self._rules, standings), standings)
            taken = report.duration_ms + more.duration_ms
            report = replace(more, done=(*report.done, *more.done), duration_ms=taken)
        return report

    def carry_out(self, plan: Plan, standings: Standings) -> Report:
        board = Board(len({step.revision.store for step in plan.steps}))
        if self._board is not None and self._board.stopped is not None:
            board.stop(self._board.stopped)  # asked for between the two halves of this run
        self._board = board
        self._watch.stopper(board)
        run = Run(
            pens=self._pens,
            board=board,
            check=self._held.check,
            watcher=self._watch.happened,
            resume=settle(plan.steps, standings, self._site.stores),
            mask=self._site.environment.mask,
            until=lambda: self._held.until,
            check_writing=self._held.check_writing,
            may_lose=self._allowed.may_lose,
        )
        return execute(plan, self._site.stores, run)


def make_ready(site: Site, stores: Sequence[Store], held: Held, wait: float, watch: Watch) -> None:
    """Make the stores' ledgers, outlast older statements for `wait` seconds, then refuse events of older tokens.

    Once the fence is up they are looked for again: what an earlier run began in between shows now, or is refused. Not
    only then: the transaction of a frozen run may hold the fence, and would be waited for without an end.
    """

    def ready(store: Store) -> None:
        store.prepare()
        store.ledger.create()

    def tell(store: Store, running: Running) -> None:
        text = " ".join(running.text.split())
        watch.happened(
            Note(store.name, f"an earlier run's statement is still running ({running.seconds:.0f} s): {text}")
        )

    together(stores, ready)
    wait_out(lambda: older(stores, site.project.name, held.token), wait, tell, check=held.check)
    together(stores, lambda store: store.ledger.raise_fence(held.token))
    wait_out(lambda: older(stores, site.project.name, held.token), wait, tell, check=held.check)


def _touched(standings: Standings, plan: Plan) -> set[str]:
    """The stores that this run writes to, or that an earlier one has written to."""
    touched = {step.revision.store for step in plan.steps} | {name for name, _ in outside(standings)}
    return touched | {name for name, standing in standings.items() if standing.token}


def _fresh_plan(site: Site, direction: Direction, wanted: Wanted, rules: Rules, standings: Standings) -> Plan:
    _fresh(rules.saved, standings)
    return planned(site, direction, wanted, rules, standings)


def nameless(name: str) -> Revision:
    """A revision of which no more than the id is known: its file is gone."""
    store, number = name.split("/", 1)
    return Revision(store, number, "", "", "", "")


def planned(site: Site, direction: Direction, wanted: Wanted, rules: Rules, standings: Standings) -> Plan:
    """What the stores' present state and the user's wish come to; of a saved plan, its own steps alone.

    Raises RefusedError and ConfigError.
    """
    _only_answers(site, wanted)
    peers.refuse_lost(site, standings)
    if direction is Direction.UP:
        plan = plan_up(site.graph, standings, wanted)
        return plan if rules.saved is None else _as_saved(plan, rules.saved)
    _nothing_half_applied(standings, wanted)
    return plan_down(site.graph, standings, wanted)


def _as_saved(plan: Plan, saved: Plan) -> Plan:
    names = {step.id for step in saved.steps}
    return replace(plan, steps=tuple(step for step in plan.steps if step.id in names))


def _only_answers(site: Site, wanted: Wanted) -> None:
    for name in sorted(wanted.only):
        if site.reached[name].reach in (Reach.NOT_CONFIGURED, Reach.OFF):
            raise ConfigError(
                "store-not-configured",
                f"--only names {name}, which is {site.reached[name].reach.replace('_', ' ')} here",
                where=f"environment {site.environment.name}",
                fix=f"set {name}.url",
            )


def _fresh(saved: Plan | None, standings: Standings) -> None:
    """Refuse a saved plan that was made from another state, naming the first revision of each store that moved."""
    stale = moved(saved, standings) if saved is not None else []
    if saved is not None and stale:
        raise RefusedError(
            "stale-plan",
            f"the plan was made from another state: {', '.join(stale)} moved since",
            where="; ".join(_moved(saved, standings, store) for store in stale),
            fix="make the plan again: provision plan --out FILE",
        )


def _moved(saved: Plan, standings: Standings, store: str) -> str:
    found = first_moved(saved, standings, store)
    if found is None:
        return f"{store}: in the plan, and not there now"
    name, was, becomes = found
    if was == becomes:
        return f"{name}: its file was edited"
    return f"{name}: {was or 'had no file'} when planned, {becomes or 'has no file'} now"


def _nothing_half_applied(standings: Standings, wanted: Wanted) -> None:
    for standing in standings.values():
        for each in standing.standings.values():
            ours = not wanted.only or standing.store in wanted.only
            if ours and each.state.open and each.state.direction is Direction.UP:
                raise RefusedError(
                    "half-applied",
                    f"{each.id} is half applied: its statement {each.state.events[-1].statement} did not end",
                    where=f"ledger of {standing.store}, begun by {each.state.actor}",
                    fix=f"`provision up` finishes it; or settle it with `provision resolve {each.id} --applied`"
                    " or `--pending`",
                )


def _small(site: Site, rules: Rules, watch: Watch, plan: Plan, standings: Standings) -> Sequence[Backfill]:
    """The backfills that this run would do by itself."""
    return _gates(site, rules, watch).small(plan.held, standings) if plan.held else ()


def _gates(site: Site, rules: Rules, watch: Watch, check: Callable[[], None] = lambda: None) -> Gatekeeper:
    # Few projects hold a revision back, and a run that does not pays nothing for what backfills need.
    from provision.flows.gates import Gatekeeper

    table = home(site) if rules.use_lease and rules.backfills else None
    return Gatekeeper(site, rules.backfills, rules.owner, table, watch.happened, watch.stopper, check)


@contextmanager
def leased(site: Site, standings: Standings, rules: Rules, watch: Watch) -> Iterator[Held]:
    """Hold the run lease in the home store while the block runs."""
    floor = max((standing.token for standing in standings.values()), default=0)
    if not rules.use_lease:
        yield Held(floor + 1, None)
        return
    table = home(site)
    table.create()

    def waiting(holding: Holding) -> None:
        watch.happened(Note(site.project.home, leases.awaited(holding)))

    seconds = site.project.lease_seconds
    lease = leases.acquire(
        table, "run", rules.owner, floor=floor, seconds=seconds, wait=rules.wait, waiting=waiting, dead=dead
    )
    try:
        yield Held(lease.token, lease)
    finally:
        lease.release()


def home(site: Site) -> Leases:
    """The leases of the home store. Raises ConfigError (no-home) and CapabilityMissing."""
    name = site.project.home
    if name == "none":
        raise ConfigError(
            "no-home",
            'home is "none": no store keeps the run lock',
            where=site.project.file.name,
            fix="run with --no-lease, or name a home store",
        )
    store = site.stores.get(name)
    if store is None:
        raise ConfigError(
            "no-home",
            f"the home store {name} is {site.reached[name].reach.replace('_', ' ')} here",
            where=f"environment {site.environment.name}",
            fix=f"set {name}.url, or run with --no-lease",
        )
    if store.leases is None:
        raise CapabilityMissing(name, "leases", "the run lock needs PostgreSQL, Redis or ArangoDB")
    return store.leases
