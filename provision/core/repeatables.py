"""Where repeatables come in a plan: after every revision of their store on the way up, before any on the way down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from provision.core.graph import Graph
from provision.core.standing import StoreStanding
from provision.model import Revision, Step


def complete(steps: Sequence[Step], graph: Graph, standings: Mapping[str, StoreStanding]) -> list[Step]:
    """The steps without the repeatables of stores that will still have a revision pending after them."""
    planned = {step.id for step in steps}
    unfinished = {
        each.store
        for each in graph.order
        if not each.repeatable
        and each.store in standings
        and each.id not in planned
        and not standings[each.store].standings[each.id].applied
    }
    return [step for step in steps if not (step.revision.repeatable and step.revision.store in unfinished)]


def above(chosen: Iterable[str], applied: Sequence[Revision]) -> frozenset[str]:
    """The applied repeatables of every store of which something is to be reverted: they may stand on it."""
    stores = {name.split("/", 1)[0] for name in chosen}
    return frozenset(each.id for each in applied if each.repeatable and each.store in stores)
