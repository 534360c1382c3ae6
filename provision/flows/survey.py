"""Reads what every store says of itself; writes nothing."""

from __future__ import annotations

from dataclasses import replace

from provision.core import source
from provision.core.standing import StoreStanding, stand
from provision.errors import ProvisionError
from provision.flows.connect import Reach, Reached, Site, together


def survey(site: Site) -> dict[str, StoreStanding]:
    """The standing of every store whose state is known, all read at the same time.

    Raises RefusedError (ledger-illegal) and UnreachableError.
    """
    known = [each for each in site.reached.values() if each.reach in (Reach.READY, Reach.ABSENT)]
    standings = together(known, lambda each: _standing(site, each))
    return {standing.store: standing for standing in standings}


def settled(site: Site) -> Site:
    """The site with its standings where every file is applied as it is; else with every file read.

    Raises every ConfigError that any file has, together, before what is wrong elsewhere.
    """
    try:
        standings = survey(site)
    except ProvisionError:
        site.whole()
        raise
    if not all(_is_settled(each, site) for each in standings.values()):
        return site.whole()
    # Nobody has ever applied what is here of a store that is not reached.
    unread = site.outlined - standings.keys()
    source.read_all(
        each.store for name, each in site.reached.items() if name in unread and each.reach is not Reach.LEFT_OUT
    )
    return replace(site, standings=standings)


def _is_settled(found: StoreStanding, site: Site) -> bool:
    """Whether an `up` finds nothing to do; of files that were only outlined, every one must be what was applied,
    or of an option that nobody chose.
    """
    listed = found.standings.values()
    if any(each.pending or each.flags or each.state.open for each in listed):
        return False
    return found.store not in site.outlined or all(
        each.revision is not None
        and (each.state.checksum == each.revision.checksum or (each.revision.optional and not each.applied))
        for each in listed
    )


def _standing(site: Site, reached: Reached) -> StoreStanding:
    store = reached.store
    files = site.graph.of(store.name)
    if reached.reach is Reach.ABSENT:
        return stand(store.name, files, (), None)
    # The ledger first: what the peer's table gains in between shows as applied outside, never as lost.
    events = store.ledger.read()
    peer = store.peer.applied() if store.peer is not None else None
    unmet = store.repeatables.unmet() if store.repeatables is not None else {}
    return stand(store.name, files, events, peer, unmet, together=store.lane is not None)
