"""What a person may say of a revision as it stands, and the refusals where it makes no sense. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from provision.core.plan import Standings
from provision.core.standing import Flag, Standing
from provision.errors import ConfigError, RefusedError
from provision.flows.connect import Site


class Verdict(StrEnum):
    """What a person says of a revision."""

    APPLIED = "applied"
    PENDING = "pending"
    REVERTED = "reverted"
    ACCEPT_CHANGE = "accept-change"


def settleable(site: Site, name: str, verdict: Verdict, standings: Standings) -> Standing:
    """The standing of the revision, if `verdict` can be said of it."""
    store = name.split("/", 1)[0]
    each = standings[store].standings.get(name) if store in standings else None
    if each is None:
        raise no_such(site, name)
    fitting = _fitting(each)
    if verdict not in fitting:
        raise _nothing_to_resolve(each, verdict, fitting)
    if verdict in (Verdict.PENDING, Verdict.REVERTED):
        _nothing_above(site, each, standings)
    return each


def of_store(store: str, verdict: Verdict, standings: Standings) -> tuple[str, ...]:
    """The revisions that the store's version table lost, if `verdict` can be said of them all."""
    if verdict not in (Verdict.APPLIED, Verdict.REVERTED):
        raise ConfigError(
            "usage",
            f"--{verdict} is said of one revision",
            where=f"argument {store}",
            fix=f"name a revision, or say --applied or --reverted of {store}",
        )
    if store not in standings or not standings[store].vanished:
        raise RefusedError(
            "nothing-to-resolve",
            f"the version table of {store} has all that its ledger knows",
            where=f"ledger of {store}",
            fix="`provision status` shows what is open; name the revision",
        )
    return standings[store].vanished


def gone_from_peer(site: Site, each: Standing) -> None:
    """Refuse, before the ledger is written, when the peer's table cannot be without the revision."""
    peer = site.stores[each.id.split("/", 1)[0]].peer
    if peer is not None and each.id in peer.applied():
        raise RefusedError(
            "required-by-others",
            f"the other tool's table keeps {each.id}: something newer stands on it",
            where=each.revision.path if each.revision else f"{each.id}, whose file is gone",
            fix="resolve the newer revision first, or restore the files",
        )


def no_such(site: Site, name: str) -> ConfigError:
    near = [each for each in site.graph.revisions if each.endswith(name.rsplit("/", 1)[-1])][:3]
    return ConfigError(
        "no-such-revision",
        f"no revision is called {name}",
        fix=f"did you mean {' or '.join(near)}?" if near else "`provision status --all` lists the ids",
    )


def already_applied(done: Sequence[Standing]) -> RefusedError:
    names = ", ".join(each.id for each in done)
    outside = any(Flag.APPLIED_OUTSIDE in each.flags for each in done)
    return RefusedError(
        "already-applied",
        f"{names} {'is' if len(done) == 1 else 'are'} applied already" if done else "everything is applied already",
        fix="`provision up` records what another tool applied" if outside else "`provision status --all` shows it",
    )


def begun(name: str) -> RefusedError:
    return RefusedError(
        "dirty",
        f"{name} was begun and did not end",
        where=f"ledger of {name.split('/', 1)[0]}",
        fix=f"`provision resolve {name} --applied` or `--pending`, or let `provision up` finish it",
    )


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
            fix="revert what stands on it first with `provision down`",
        )


def _is_applied(site: Site, standings: Standings, name: str) -> bool:
    store = site.graph.revisions[name].store
    return store in standings and standings[store].standings[name].applied


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
