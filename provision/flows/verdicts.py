"""What a person may say of a revision as it stands, and the refusals where it makes no sense. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from provision.core.plan import Standings, by_word
from provision.core.standing import Flag, Standing
from provision.errors import ConfigError, RefusedError
from provision.flows.connect import Site
from provision.model import Step
from provision.model.statements import Statement


class Verdict(StrEnum):
    """What a person says of a revision."""

    APPLIED = "applied"
    PENDING = "pending"
    REVERTED = "reverted"
    ACCEPT_CHANGE = "accept-change"
    DONE_TO = "done-to"  # its statements up to a number


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


def half_applied(site: Site, name: str, number: int, standings: Standings) -> Standing:
    """The standing of the revision, if it can be said that its statements 1 to `number` are done."""
    store = name.split("/", 1)[0]
    each = standings[store].standings.get(name) if store in standings else None
    if each is None:
        raise no_such(site, name)
    if not each.state.open:
        raise _nothing_to_resolve(each, Verdict.DONE_TO, _fitting(each))
    if each.revision is None:
        raise RefusedError(
            "revision-unknown",
            f"{each.id} is half applied, and its file is gone: its statements cannot be counted",
            where=f"ledger of {store}",
            fix=f"restore the file, or `provision resolve {each.id} --reverted` when nothing of it is there",
        )
    listed = statements_of(site, each)
    if number < 1 or (listed is not None and number > len(listed)):
        raise _out_of_range(each, number, None if listed is None else len(listed))
    return each


def statements_of(site: Site, each: Standing) -> Sequence[Statement] | None:
    """The statements of a half-applied revision, the way it goes; None where only carrying it out shows them."""
    part = site.stores[each.id.split("/", 1)[0]].statements
    assert each.revision is not None
    return None if part is None else part.of(Step(each.revision, each.state.direction))


def _out_of_range(each: Standing, number: int, most: int | None) -> ConfigError:
    has = (
        f"{each.id} has no statement {number}" if most is None else f"{each.id} has {most} statement{'s' * (most != 1)}"
    )
    upto = "1" if most == 1 else "1 or more" if most is None else f"1 to {most}"
    return ConfigError(
        "usage",
        f"{has}: --done-to {number} says nothing of it",
        where=each.revision.path if each.revision else each.id,
        fix=f"name the last statement that is done, {upto}; `provision resolve {each.id} --pending` where none is",
    )


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
            fix="`provision status` shows what is half applied; name the revision",
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
        f"{names} {'is' if len(done) == 1 else 'are'} applied already",
        fix="`provision up` records what another tool applied" if outside else "`provision status --all` shows it",
    )


def begun(name: str) -> RefusedError:
    return RefusedError(
        "dirty",
        f"{name} was begun and did not end",
        where=f"ledger of {name.split('/', 1)[0]}",
        fix=f"let `provision up` finish it, or settle it: {by_word(name)}",
    )


def _fitting(each: Standing) -> tuple[Verdict, ...]:
    """What can be said of a revision as it stands."""
    if each.state.open:
        return (Verdict.DONE_TO, Verdict.APPLIED, Verdict.PENDING, Verdict.REVERTED)
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
            fix=f"revert {'it' if len(ordered) == 1 else 'them'} first: `provision down` to the revision below",
        )


def _is_applied(site: Site, standings: Standings, name: str) -> bool:
    store = site.graph.revisions[name].store
    return store in standings and standings[store].standings[name].applied


def _nothing_to_resolve(each: Standing, verdict: Verdict, fitting: Sequence[Verdict]) -> RefusedError:
    if fitting:
        flags = ", ".join(sorted(each.flags)) or each.state.name
        fix = " or ".join(f"--{choice}{' N' if choice is Verdict.DONE_TO else ''}" for choice in fitting)
        what = f"{each.id} is {flags}: --{verdict} does not settle that"
    elif each.flags & {Flag.APPLIED_OUTSIDE, Flag.REVERTED_OUTSIDE}:
        what = f"{each.id} is {each.state.name} by another tool: there is nothing to resolve"
        fix = "`provision up` records it"
    elif each.applied:
        what = f"{each.id} is applied and its file is as it was: there is nothing to resolve"
        fix = f"`provision history {each.id}` shows what happened"
    else:
        what = f"{each.id} is {each.state.name}: there is nothing to resolve"
        fix = f"`provision up` applies it; `provision baseline {each.id}` marks it as applied without running it"
    where = each.revision.path if each.revision else f"ledger of {each.id.split('/', 1)[0]}"
    return RefusedError("nothing-to-resolve", what, where=where, fix=fix)
