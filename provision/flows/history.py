"""What the ledgers of a site's stores say was done. Writes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import merge
from typing import NamedTuple

from provision.core.graph import Graph
from provision.errors import ConfigError
from provision.flows.connect import Site, together
from provision.model import Event


class HistoryEntry(NamedTuple):
    """One event and the store whose ledger holds it."""

    store: str
    event: Event


def entries(
    site: Site, shown: Sequence[str], revision: str | None = None, limit: int | None = None
) -> list[HistoryEntry]:
    """The events of the shown stores, newest last; a store's own order is kept, whatever its clock said.

    `revision`: only of that one; `limit`: only the last so many. Raises ConfigError (no-such-revision).
    """
    stores = [store for name, store in site.stores.items() if name in shown]
    read = together(stores, lambda store: [HistoryEntry(store.name, event) for event in store.ledger.read()])
    found = list(merge(*read, key=lambda each: (each.event.token, each.event.at)))
    if revision is not None:
        found = [each for each in found if each.event.revision == revision]
        _require_known(revision, found, site.graph)
    return found[-limit:] if limit else found


def _require_known(revision: str, found: Sequence[HistoryEntry], files: Graph) -> None:
    if not found and revision not in files.revisions:
        raise ConfigError(
            "no-such-revision", f"no revision is called {revision}", fix="`provision status --all` lists the ids"
        )
