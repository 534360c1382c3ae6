"""The run lock as people see it: who holds it, and how it is asked back."""

from __future__ import annotations

import os

from provision import process
from provision.errors import RefusedError, raise_all
from provision.flows.connect import Site
from provision.flows.run_lock import home
from provision.model import RUN_LOCK, LeaseRecord
from provision.ports import Leases


def answers(site: Site, *names: str) -> None:
    """Raise why one of the named stores does not answer; the others may be away."""
    reached = [site.reached[name] for name in dict.fromkeys(names) if name in site.reached]
    raise_all([each.error for each in reached if each.error is not None])


def leases(site: Site) -> Leases | None:
    """The home store's leases; None while its embedded engine was never made: then nobody holds one.

    Raises UnreachableError, ConfigError (no-home), RefusedError (newer-schema).
    """
    name = site.project.home
    answers(site, name)
    if name in site.known and name not in site.stores:
        return None
    found = home(site)
    site.stores[name].ledger.read()  # refuses what a newer release wrote
    return found


def over(holding: LeaseRecord) -> bool:
    """Whether nobody is behind the lock any more: it ran out, or its process is known to have ended."""
    return holding.expires_in <= 0 or process.dead(holding.owner)


def release(table: Leases, holding: LeaseRecord) -> bool:
    """Free a lock that nobody is behind and return True; else ask its holder to give it up.

    The holder does so before its next statement. Raises RefusedError (lease-moved) when it is not this holding's any
    more.
    """
    free = over(holding)
    if free:
        done = table.release(RUN_LOCK, holding.owner, holding.token)
    else:
        mine = process.owner(os.environ)
        done = table.ask_back(RUN_LOCK, holding.owner, holding.token, f"{mine.actor} (pid {mine.pid})")
    if not done:
        raise _moved(holding, table.read(RUN_LOCK))
    return free


def _moved(shown: LeaseRecord, now: LeaseRecord | None) -> RefusedError:
    return RefusedError(
        "lease-moved",
        f"token {shown.token} does not hold the lock any more",
        where=f"held by {now.owner}, token {now.token}" if now is not None else "nobody holds it now",
        fix="look again: `provision lock show`",
    )
