"""Tells a peer's own downgrade from a version table that was lost: what is lost says nothing of the database."""

from __future__ import annotations

from collections.abc import Sequence

from provision.core.graph import Graph
from provision.core.plan import Standings
from provision.core.standing import StoreStanding
from provision.errors import RefusedError, raise_all
from provision.flows.connect import Site


def lost(standing: StoreStanding, graph: Graph) -> tuple[str, ...]:
    """The revisions that no downgrade explains: all there were, or some that newer ones stand on; else none.

    To take them for reverted would run everything again on a database that has it.
    """
    gone = frozenset(standing.vanished)
    kept = {each.id for each in standing.standings.values() if each.applied and not _repeatable(each.id, graph)}
    known = gone & graph.revisions.keys()
    # A whole line, its first revision too: `downgrade base` of one branch looks the same as a row that was lost.
    roots = any(not graph.revisions[name].parents for name in known)
    explained = bool(kept) and not roots and not graph.dependents(known) & kept
    return () if explained else standing.vanished


def refuse_lost(site: Site, standings: Standings) -> None:
    """Raise RefusedError (versions-lost) for every store whose version table lost what its ledger knows."""
    raise_all(
        [
            _refused(site, name, gone)
            for name, standing in standings.items()
            if standing.vanished and (gone := lost(standing, site.graph))
        ]
    )


def _repeatable(name: str, graph: Graph) -> bool:
    return name in graph.revisions and graph.revisions[name].repeatable


def _refused(site: Site, name: str, gone: Sequence[str]) -> RefusedError:
    peer = site.stores[name].peer
    assert peer is not None
    env = f"--env {site.environment.name}"
    some = ", ".join(gone[:3]) + (f" and {len(gone) - 3} more" if len(gone) > 3 else "")
    return RefusedError(
        "versions-lost",
        f"the ledger of {name} says that {some} {'is' if len(gone) == 1 else 'are'} applied, and its version table"
        " does not know it: nothing is run again on that",
        where=f"{name}: {peer.seen()}",
        fix=f"look at the database. Is it all there: `provision resolve {name} --applied {env}` writes the version"
        f" table again. Was it undone: `provision resolve {name} --reverted {env}`, then `provision up {env}`",
    )
