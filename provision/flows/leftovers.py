"""Removes, at the end of an `up`, what earlier revisions replaced and kept for a while."""

from __future__ import annotations

from collections.abc import Callable

from provision.core.plan import MoveRequest
from provision.flows.connect import Site, together
from provision.model import Leftover, Listener, Note
from provision.ports import Store


def due(site: Site, wanted: MoveRequest) -> list[Leftover]:
    """What can go in the stores that are wanted. Raises UnreachableError."""

    def ask(store: Store) -> list[Leftover]:
        return list(store.leftovers.due()) if store.leftovers is not None else []

    asked = [store for store in site.stores.values() if not wanted.only or store.name in wanted.only]
    return [each for found in together(asked, ask) for each in found]


def announce(found: list[Leftover], happened: Listener) -> None:
    """Say what an `up` would remove."""
    for each in found:
        happened(Note(each.store, f"would remove {each.name}: {each.reason}"))


def remove(site: Site, wanted: MoveRequest, check: Callable[[], None], happened: Listener) -> tuple[Leftover, ...]:
    """Remove what is due now, asking `check` before each. Raises LeaseLost, FailedError."""
    found = due(site, wanted)
    for each in found:
        check()
        part = site.stores[each.store].leftovers
        if part is not None:
            part.remove(each)
            happened(Note(each.store, f"removed {each.name}: {each.reason}"))
    return tuple(found)
