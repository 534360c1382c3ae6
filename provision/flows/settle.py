"""Writes down what a person says of the databases: marks revisions as applied, settles open ones. Runs no migration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from provision.core.execute import EventNumbering
from provision.core.ledger import fold, highest_token, illegal
from provision.core.plan import Standings, refuse_trouble
from provision.core.standing import Flag, Standing, StoreStanding
from provision.errors import ConfigError, raise_all
from provision.flows import drafts, peers, verdicts
from provision.flows.connect import Reach, Site
from provision.flows.disproof import disproof, disproved
from provision.flows.migrate import make_ready, nameless
from provision.flows.rules import Listeners, Rules
from provision.flows.run_lock import HeldLock, beside, leased
from provision.flows.survey import survey
from provision.flows.verdicts import Verdict
from provision.model import PENDING, Direction, Event, EventKind, Revision, StateName, Step
from provision.ports import Store


@dataclass(frozen=True, slots=True)
class Marking:
    """Which revisions to mark: those named and all below them, or everything; of the stores in `only`, if given."""

    names: tuple[str, ...] = ()
    everything: bool = False
    only: frozenset[str] = frozenset()


def taken_on_trust() -> None:
    """The proof of a baseline that asks for none."""


class Desk:
    """The ledgers of some stores, open for entries while this run holds the lease."""

    def __init__(self, site: Site, standings: Standings, actor: str, held: HeldLock) -> None:
        self._site, self.standings, self._held = site, standings, held
        self._pens = {name: EventNumbering(site.project.name, held.token, actor) for name in site.stores}

    def stamp(self, store: str, steps: Sequence[Step]) -> None:
        """Bring the peer's table in step, where there is one.

        Before the ledger: what a crash leaves then shows as done outside, which the next `up` records.
        """
        peer = self._site.stores[store].peer
        if peer is not None and steps:
            self._held.check()
            peer.stamp(steps)

    def write(self, revision: Revision, kind: EventKind, **detail: object) -> Event:
        """Append one event to the ledger of the revision's store. Raises LeaseLost."""
        self._held.check()
        event = self._pens[revision.store].event(revision, kind, **detail)
        self._site.stores[revision.store].ledger.append(event)
        return event


@contextmanager
def desk(
    site: Site,
    stores: Sequence[str],
    standings: Standings,
    rules: Rules,
    watch: Listeners,
    again: Callable[[Site], Standings] = survey,
) -> Iterator[Desk]:
    """Take the lease, make the ledgers of `stores` ready, and read the standings again.

    Raises LeaseHeld, LeaseLost, ConfigError (no-home).
    """
    opened: list[Store] = [site.stores[name] for name in stores]
    with leased(site, standings, rules, watch) as held:
        make_ready(site, opened, held, rules.wait, watch)
        yield Desk(site, again(site), rules.owner.actor, held)


def baseline(
    site: Site, marking: Marking, rules: Rules, watch: Listeners, prove: Callable[[], None] = taken_on_trust
) -> tuple[Event, ...]:
    """Mark revisions as applied without running them; what is applied below them stays as it is.

    Nothing, where everything was asked for and everything is applied: who marks all that there is may do so twice.
    `prove` raises why the databases have not got it. Raises RefusedError (already-applied, dirty, changed, unknown),
    ConfigError (no-such-revision), LeaseHeld.
    """

    def asked(found: Standings) -> tuple[Standings, list[Revision]]:
        prove()
        return found, _to_mark(site, marking, found)

    standings, marked = beside(site, survey(site), rules, watch, asked)
    stores = list(dict.fromkeys(each.store for each in marked))
    if not stores:
        return ()
    with desk(site, stores, standings, rules, watch) as opened:
        prove()  # again: until the lock was ours, another run could change it
        revisions = _to_mark(site, marking, opened.standings)
        events: list[Event] = []
        for store in stores:
            mine = [each for each in revisions if each.store == store]
            opened.stamp(store, [Step(each) for each in mine])
            events += [_baselined(opened, each) for each in mine]
    return tuple(events)


def resolve(
    site: Site, name: str, verdict: Verdict, reason: str, rules: Rules, watch: Listeners, *, force: bool = False
) -> Event:
    """Settle one revision by a person's word, if what can be seen does not speak against it; with `force` even then.

    Raises RefusedError (nothing-to-resolve, required-by-others, disproved), ConfigError (no-such-revision), LeaseHeld.
    """
    store = name.split("/", 1)[0]
    by_word = verdict is not Verdict.ACCEPT_CHANGE  # which says nothing of what became of it
    if by_word and store in site.stores and _illegal(site.stores[store], name):
        with desk(site, [store], _tokens(site), rules, watch, again=_tokens) as opened:
            return _settle(site, opened, Standing(name, site.graph.revisions.get(name), PENDING), verdict, reason)
    standings, _ = beside(
        site, survey(site), rules, watch, lambda found: (found, verdicts.settleable(site, name, verdict, found))
    )
    with desk(site, [store], standings, rules, watch) as opened:
        each = verdicts.settleable(site, name, verdict, opened.standings)
        found = disproof(site, each, verdict)
        if found is not None and not force:
            raise disproved(each, verdict, found)
        return _settle(site, opened, each, verdict, reason, against=found.reason if found is not None else "")


def resolve_done_to(site: Site, name: str, number: int, reason: str, rules: Rules, watch: Listeners) -> Event:
    """Say that statements 1 to `number` of a half-applied revision are done; the next move goes on behind them.

    Raises RefusedError (nothing-to-resolve, revision-unknown), ConfigError (no-such-revision, usage), LeaseHeld.
    """
    standings, _ = beside(
        site, survey(site), rules, watch, lambda found: (found, verdicts.half_applied(site, name, number, found))
    )
    with desk(site, [name.split("/", 1)[0]], standings, rules, watch) as opened:
        each = verdicts.half_applied(site, name, number, opened.standings)
        assert each.revision is not None
        listed = verdicts.statements_of(site, each)
        # As a run would write it there, but for `done_to`: nothing of what follows was sent.
        detail: dict[str, object] = {"text": listed[number].text if listed is not None and number < len(listed) else ""}
        if each.state.direction is Direction.DOWN:
            detail["direction"] = str(Direction.DOWN)
        return opened.write(each.revision, EventKind.AT, statement=number + 1, done_to=number, reason=reason, **detail)


def resolve_store(
    site: Site, store: str, verdict: Verdict, reason: str, rules: Rules, watch: Listeners
) -> tuple[Event, ...]:
    """Settle by a person's word every revision that the version table of a store lost.

    APPLIED writes that table again, REVERTED takes the revisions for undone. Raises RefusedError (nothing-to-resolve,
    versions-lost), ConfigError (usage), LeaseHeld.
    """
    standings, _ = beside(
        site, survey(site), rules, watch, lambda found: (found, verdicts.of_store(store, verdict, found))
    )
    with desk(site, [store], standings, rules, watch) as opened:
        names = verdicts.of_store(store, verdict, opened.standings)
        revisions = [site.graph.revisions.get(name) or nameless(name) for name in names]
        if verdict is Verdict.APPLIED:
            opened.stamp(store, [Step(each) for each in revisions])
        then = fold(site.stores[store].ledger.read())
        events = tuple(_for_all(opened, each, then[each.id].checksum, verdict, reason) for each in revisions)
    peers.refuse_lost(site, survey(site))
    return events


def _for_all(opened: Desk, revision: Revision, checksum: str, verdict: Verdict, reason: str) -> Event:
    if verdict is Verdict.REVERTED:
        return opened.write(revision, EventKind.REVERTED, outside=True, text=reason)
    # With the checksum of then: what was edited since stays changed.
    ran = replace(revision, checksum=checksum)
    return opened.write(ran, EventKind.RESOLVED, state=str(StateName.APPLIED), again=True, text=reason)


def _settle(site: Site, opened: Desk, each: Standing, verdict: Verdict, reason: str, *, against: str = "") -> Event:
    opened.stamp(each.id.split("/", 1)[0], _stamped(site, each, verdict))
    if verdict in (Verdict.PENDING, Verdict.REVERTED):
        verdicts.gone_from_peer(site, each)
    accepted = verdict is Verdict.ACCEPT_CHANGE
    state = StateName.APPLIED if accepted else StateName(str(verdict))
    revision = each.revision or nameless(each.id)
    seen: dict[str, object] = {"against": against} if against else {}
    return opened.write(revision, EventKind.RESOLVED, state=str(state), accepted=accepted, text=reason, **seen)


def _illegal(store: Store, name: str) -> bool:
    return bool(illegal(event for event in store.ledger.read() if event.revision == name))


def _tokens(site: Site) -> Standings:
    """The highest token of each ledger and no more: all that can be read of one whose events do not add up."""
    return {name: StoreStanding(name, {}, highest_token(store.ledger.read())) for name, store in site.stores.items()}


def _baselined(opened: Desk, revision: Revision) -> Event:
    if Flag.REVERTED_OUTSIDE in _standing(opened.standings, revision).flags:
        opened.write(revision, EventKind.REVERTED, outside=True)  # the ledger still says applied
    return opened.write(revision, EventKind.BASELINED)


def _to_mark(site: Site, marking: Marking, standings: Standings) -> list[Revision]:
    """The revisions to mark, in order. Refuses what is wrong before anything is written."""
    graph = site.graph
    raise_all([verdicts.no_such(site, name) for name in marking.names if name not in graph.revisions])
    _reachable(site, marking)
    scope = frozenset(graph.revisions) if marking.everything else graph.needs(marking.names)
    chosen = [
        each
        for each in graph.order
        if each.id in scope and each.store in standings and (not marking.only or each.store in marking.only)
    ]
    refuse_trouble(standings, frozenset(each.store for each in chosen))
    todo = [each for each in chosen if not _standing(standings, each).applied]
    drafts.refuse(todo)  # what is filled in later would look edited
    named = [_standing(standings, graph.revisions[name]) for name in marking.names]
    done = [each for each in named if each.applied]
    if done:
        raise verdicts.already_applied(done)
    raise_all([verdicts.begun(each.id) for each in todo if _standing(standings, each).state.open])
    return todo


def _reachable(site: Site, marking: Marking) -> None:
    """Refuse what lies in a store that is not part of this environment."""
    named = {site.graph.revisions[name].store for name in marking.names} | marking.only
    raise_all(
        [
            ConfigError(
                "store-not-configured",
                f"{name} is {site.reached[name].reach.replace('_', ' ')} here",
                where=f"environment {site.environment.name}",
                fix=f"set {name}.url",
            )
            for name in sorted(named)
            if site.reached[name].reach is not Reach.READY
        ]
    )


def _stamped(site: Site, each: Standing, verdict: Verdict) -> list[Step]:
    """What the peer's table has to learn; nothing where it already says so."""
    store = each.id.split("/", 1)[0]
    peer = site.stores[store].peer
    if peer is None:
        return []
    revision = each.revision or nameless(each.id)
    has = each.id in peer.applied()
    if verdict in (Verdict.PENDING, Verdict.REVERTED):
        return [Step(revision, Direction.DOWN)] if has else []
    # An accepted change is stamped again, so that a peer that keeps the file's checksum takes the new one.
    return [Step(revision)] if verdict is Verdict.ACCEPT_CHANGE or not has else []


def _standing(standings: Standings, revision: Revision) -> Standing:
    return standings[revision.store].standings[revision.id]
