"""Writes down what a person says of the databases: marks revisions as applied, settles open ones. Runs no migration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum

from provision.core.execute import Pen
from provision.core.plan import Standings, refuse_trouble
from provision.core.standing import Flag, Standing
from provision.errors import ConfigError, RefusedError, raise_all
from provision.flows.connect import Reach, Site
from provision.flows.migrate import Rules, Watch, leased, make_ready, nameless
from provision.flows.survey import survey
from provision.model import Direction, Event, Kind, Revision, StateName, Step
from provision.ports import Store


class Verdict(StrEnum):
    """What a person says of a revision."""

    APPLIED = "applied"
    PENDING = "pending"
    REVERTED = "reverted"
    ACCEPT_CHANGE = "accept-change"


@dataclass(frozen=True, slots=True)
class Marking:
    """Which revisions to mark: those named and all below them, or everything; of the stores in `only`, if given."""

    names: tuple[str, ...] = ()
    everything: bool = False
    only: frozenset[str] = frozenset()


class Desk:
    """The ledgers of some stores, open for entries while this run holds the lease."""

    def __init__(self, site: Site, standings: Standings, rules: Rules, token: int) -> None:
        self._site, self.standings = site, standings
        self._pens = {name: Pen(site.project.name, token, rules.owner.actor) for name in site.stores}

    def stamp(self, store: str, steps: Sequence[Step]) -> None:
        """Bring the peer's table in step, where there is one.

        Before the ledger: what a crash leaves then shows as done outside, which the next `up` records.
        """
        peer = self._site.stores[store].peer
        if peer is not None and steps:
            peer.stamp(steps)

    def write(self, revision: Revision, kind: Kind, **detail: object) -> Event:
        """Append one event to the ledger of the revision's store. Raises LeaseLost."""
        event = self._pens[revision.store].event(revision, kind, **detail)
        self._site.stores[revision.store].ledger.append(event)
        return event


@contextmanager
def desk(site: Site, stores: Sequence[str], standings: Standings, rules: Rules, watch: Watch) -> Iterator[Desk]:
    """Take the lease, make the ledgers of `stores` ready, and survey again.

    Raises LeaseHeld, LeaseLost, ConfigError (no-home).
    """
    opened: list[Store] = [site.stores[name] for name in stores]
    with leased(site, standings, rules, watch) as held:
        make_ready(site, opened, held.token, rules.wait, watch)
        made = Desk(site, survey(site), rules, held.token)
        held.check()
        yield made


def baseline(site: Site, marking: Marking, rules: Rules, watch: Watch) -> tuple[Event, ...]:
    """Mark revisions as applied without running them; what is applied below them stays as it is.

    Raises RefusedError (already-applied, dirty, changed, unknown), ConfigError (no-such-revision), LeaseHeld.
    """
    standings = survey(site)
    stores = list(dict.fromkeys(each.store for each in _to_mark(site, marking, standings)))
    with desk(site, stores, standings, rules, watch) as opened:
        revisions = _to_mark(site, marking, opened.standings)
        events: list[Event] = []
        for store in stores:
            mine = [each for each in revisions if each.store == store]
            opened.stamp(store, [Step(each) for each in mine])
            events += [opened.write(each, Kind.BASELINED) for each in mine]
    return tuple(events)


def resolve(site: Site, name: str, verdict: Verdict, reason: str, rules: Rules, watch: Watch) -> Event:
    """Settle one revision by a person's word.

    Raises RefusedError (nothing-to-resolve, required-by-others), ConfigError (no-such-revision), LeaseHeld.
    """
    standings = survey(site)
    _settleable(site, name, verdict, standings)
    store = name.split("/", 1)[0]
    with desk(site, [store], standings, rules, watch) as opened:
        each = _settleable(site, name, verdict, opened.standings)
        opened.stamp(store, _stamped(site, each, verdict))
        if verdict in (Verdict.PENDING, Verdict.REVERTED):
            _gone_from_peer(site, each)
        revision = each.revision or nameless(name)
        accepted = verdict is Verdict.ACCEPT_CHANGE
        state = StateName.APPLIED if accepted else StateName(str(verdict))
        return opened.write(revision, Kind.RESOLVED, state=str(state), accepted=accepted, text=reason)


def _to_mark(site: Site, marking: Marking, standings: Standings) -> list[Revision]:
    """The revisions to mark, in order. Refuses what is wrong before anything is written."""
    graph = site.graph
    raise_all([_no_such(site, name) for name in marking.names if name not in graph.revisions])
    _reachable(site, marking)
    scope = frozenset(graph.revisions) if marking.everything else graph.needs(marking.names)
    chosen = [
        each
        for each in graph.order
        if each.id in scope and each.store in standings and (not marking.only or each.store in marking.only)
    ]
    refuse_trouble(standings, frozenset(each.store for each in chosen))
    todo = [each for each in chosen if not _standing(standings, each).applied]
    named = [_standing(standings, graph.revisions[name]) for name in marking.names]
    done = [each for each in named if each.applied]
    if done or not todo:
        raise _already(done)
    raise_all([_begun(each.id) for each in todo if _standing(standings, each).state.open])
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


def _settleable(site: Site, name: str, verdict: Verdict, standings: Standings) -> Standing:
    """The standing of the revision, if `verdict` can be said of it."""
    store = name.split("/", 1)[0]
    each = standings[store].standings.get(name) if store in standings else None
    if each is None:
        raise _no_such(site, name)
    fitting = _fitting(each)
    if verdict not in fitting:
        raise _nothing_to_resolve(each, verdict, fitting)
    if verdict in (Verdict.PENDING, Verdict.REVERTED):
        _nothing_above(site, each, standings)
    return each


def _fitting(each: Standing) -> tuple[Verdict, ...]:
    """What can be said of a revision as it stands."""
    if each.state.open:
        return (Verdict.APPLIED, Verdict.PENDING, Verdict.REVERTED)
    if Flag.CHANGED in each.flags:
        return (Verdict.ACCEPT_CHANGE, Verdict.REVERTED, Verdict.PENDING)
    if Flag.UNKNOWN in each.flags:
        return (Verdict.REVERTED, Verdict.PENDING)
    return ()


def _nothing_above(site: Site, each: Standing, standings: Standings) -> None:
    above = site.graph.dependents([each.id]) - {each.id}
    standing = [name for name in above if _is_applied(site, standings, name)]
    if standing:
        ordered = sorted(standing, key=site.graph.position.__getitem__)
        raise RefusedError(
            "required-by-others",
            f"{', '.join(ordered)} stand{'s' if len(ordered) == 1 else ''} on {each.id} and cannot stay without it",
            where=each.revision.path if each.revision else each.id,
            fix="revert what stands on it first with `provision down`, or say --applied",
        )


def _gone_from_peer(site: Site, each: Standing) -> None:
    """Refuse, before the ledger is written, when the peer's table cannot be without the revision."""
    peer = site.stores[each.id.split("/", 1)[0]].peer
    if peer is not None and each.id in peer.applied():
        raise RefusedError(
            "required-by-others",
            f"the other tool's table keeps {each.id}: something newer stands on it",
            where=each.revision.path if each.revision else f"{each.id}, whose file is gone",
            fix="resolve the newer revision first, or restore the files",
        )


def _is_applied(site: Site, standings: Standings, name: str) -> bool:
    store = site.graph.revisions[name].store
    return store in standings and standings[store].standings[name].applied


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


def _no_such(site: Site, name: str) -> ConfigError:
    near = [each for each in site.graph.revisions if each.endswith(name.rsplit("/", 1)[-1])][:3]
    return ConfigError(
        "no-such-revision",
        f"no revision is called {name}",
        fix=f"did you mean {' or '.join(near)}?" if near else "`provision status --all` lists the ids",
    )


def _already(done: Sequence[Standing]) -> RefusedError:
    names = ", ".join(each.id for each in done)
    outside = any(Flag.APPLIED_OUTSIDE in each.flags for each in done)
    return RefusedError(
        "already-applied",
        f"{names} {'is' if len(done) == 1 else 'are'} applied already" if done else "everything is applied already",
        fix="`provision up` records what another tool applied" if outside else "`provision status --all` shows it",
    )


def _begun(name: str) -> RefusedError:
    return RefusedError(
        "dirty",
        f"{name} was begun and did not end",
        where=f"ledger of {name.split('/', 1)[0]}",
        fix=f"`provision resolve {name} --applied` or `--pending`, or let `provision up` finish it",
    )


def _nothing_to_resolve(each: Standing, verdict: Verdict, fitting: Sequence[Verdict]) -> RefusedError:
    if fitting:
        flags = ", ".join(sorted(each.flags)) or each.state.name
        fix = " or ".join(f"--{choice}" for choice in fitting)
        what = f"{each.id} is {flags}: --{verdict} does not settle that"
    elif each.flags & {Flag.APPLIED_OUTSIDE, Flag.REVERTED_OUTSIDE}:
        what = f"{each.id} is {each.state.name} by another tool: nothing about it is open"
        fix = "`provision up` records it"
    elif each.applied:
        what = f"{each.id} is applied and its file is as it was: nothing about it is open"
        fix = f"`provision down` reverts; `provision history {each.id}` shows what happened"
    else:
        what = f"{each.id} is {each.state.name}: nothing about it is open"
        fix = f"`provision up` applies it; `provision baseline {each.id}` marks it as applied without running it"
    where = each.revision.path if each.revision else f"ledger of {each.id.split('/', 1)[0]}"
    return RefusedError("nothing-to-resolve", what, where=where, fix=fix)
