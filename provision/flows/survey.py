"""Reads what every store says of itself; writes nothing."""

from __future__ import annotations

from provision.core.standing import StoreStanding, stand
from provision.flows.connect import Reach, Reached, Site, together


def survey(site: Site) -> dict[str, StoreStanding]:
    """The standing of every store whose state is known, all read at the same time.

    Raises RefusedError (ledger-illegal) and UnreachableError.
    """
    known = [each for each in site.reached.values() if each.reach in (Reach.READY, Reach.ABSENT)]
    standings = together(known, lambda each: _standing(site, each))
    return {standing.store: standing for standing in standings}


def _standing(site: Site, reached: Reached) -> StoreStanding:
    store = reached.store
    files = site.graph.of(store.name)
    if reached.reach is Reach.ABSENT:
        return stand(store.name, files, (), None)
    # The ledger first: what the peer's table gains in between shows as applied outside, never as lost.
    events = store.ledger.read()
    peer = store.peer.applied() if store.peer is not None else None
    unmet = store.repeatables.unmet() if store.repeatables is not None else {}
    return stand(store.name, files, events, peer, unmet)
