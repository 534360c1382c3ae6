"""Holds the ledgers of a site's stores against what correct runs can write. Writes nothing."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from provision.core.audit import IllegalEntry, audit
from provision.flows.connect import Site, together
from provision.model import Severity
from provision.ports import Store


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """The ledger of one store: how many entries, of how many runs and revisions, and those that are illegal."""

    store: str
    entries: int
    runs: int
    revisions: int
    illegal: tuple[IllegalEntry, ...] = ()

    @property
    def wrong(self) -> bool:
        """Whether an entry is illegal for certain, not too old, and nobody has settled its revision since."""
        return any(each.severity is Severity.ERROR for each in self.illegal)


def verified(site: Site, shown: Collection[str], since: datetime | None = None) -> tuple[LedgerReport, ...]:
    """A report on each of the shown stores that was reached, all read at the same time. Illegal entries of before
    `since` are warnings.

    Raises ConfigError (ledger-unreadable), RefusedError (newer-schema), UnreachableError.
    """
    return tuple(
        together([store for name, store in site.stores.items() if name in shown], partial(_report, since=since))
    )


def _report(store: Store, *, since: datetime | None) -> LedgerReport:
    events = store.ledger.read()
    runs, revisions = ({getattr(each, name) for each in events} for name in ("token", "revision"))
    return LedgerReport(store.name, len(events), len(runs), len(revisions), audit(events, since))
