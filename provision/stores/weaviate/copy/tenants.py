"""The tenants of a collection that is copied: the other gets the same ones, and all of them must be active."""

from __future__ import annotations

from provision.documents.refused import Refused
from provision.net.http import path_of
from provision.stores.weaviate.server import Server

# The server changes no more at once.
PORTION = 100


def same_tenants(server: Server, source: str, target: str) -> list[str]:
    """Give the target the tenants of the source, take others from it, and return them.

    Raises Refused while one is not active: what it holds cannot be read.
    """
    here, there = server.tenants(source), server.tenants(target)
    missing = sorted(here.keys() - there.keys())
    gone = sorted(there.keys() - here.keys())
    for method, names in (("POST", missing), ("DELETE", gone)):
        for start in range(0, len(names), PORTION):
            portion = names[start : start + PORTION]
            sent = [{"name": name} for name in portion] if method == "POST" else portion
            server.send(method, path_of("schema", target, "tenants"), sent)
    for name, found in ((source, here), (target, {each: there[each] for each in there.keys() & here.keys()})):
        refuse_inactive(name, found)
    return sorted(here)


def refuse_inactive(name: str, found: dict[str, str]) -> None:
    """Raises Refused when a tenant is not active."""
    asleep = [f"{tenant} ({status})" for tenant, status in found.items() if status != "ACTIVE"]
    if asleep:
        shown = ", ".join(asleep[:5]) + (f" and {len(asleep) - 5} more" if len(asleep) > 5 else "")
        fix = "activate them with `update_tenants` before it, and put them back to sleep in the new collection after it"
        raise Refused(f"tenants of {name} are not active and cannot be read: {shown}", fix)
