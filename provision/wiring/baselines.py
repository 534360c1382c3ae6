"""Whether a database that is to be marked as applied has what its revisions make, as the snapshots say."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial

from provision.errors import RefusedError
from provision.flows.connect import Reach, Site
from provision.flows.rehearsal import Difference, differences
from provision.flows.settle import Marking, taken_on_trust
from provision.wiring import snapshots

NAMED = 5


def proof(site: Site, marking: Marking, *, unproved: bool) -> Callable[[], None]:
    """What a baseline asks of the databases: that they have everything, where everything is marked."""
    if unproved or not marking.everything:
        return taken_on_trust
    return partial(_refuse_other, site, marking.only)


def _refuse_other(site: Site, only: Collection[str]) -> None:
    """Refuse stores that are not as their snapshots say; one without a snapshot is passed by.

    Raises RefusedError (schema-differs), ConfigError (bad-snapshot), UnreachableError.
    """
    written = snapshots.read(site.project.root)
    ready = [name for name, each in site.reached.items() if each.reach is Reach.READY and (not only or name in only)]
    compared = [name for name in ready if name in written]
    if not compared:
        return
    live = snapshots.taken(site.project, site.environment, compared)
    found = differences({name: written[name] for name in compared}, live)
    if found:
        more = [f"{len(found) - NAMED} more"] if len(found) > NAMED else []
        what = "the databases do not have what all revisions make: the snapshots in schema/ say otherwise"
        fix = "put it right (`provision drift` says what differs), or name the revisions that are there;" + (
            " `--unproved` marks them all the same"
        )
        raise RefusedError("schema-differs", what, where="; ".join([*map(_told, found[:NAMED]), *more]), fix=fix)


def _told(each: Difference) -> str:
    how = "is missing" if each.after is None else "is made by no revision" if each.before is None else "is another"
    return f"{each.store}: {each.name} {how}"
