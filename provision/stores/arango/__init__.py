"""ArangoDB: documents of operations."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind


def _build(options: StoreOptions) -> Store:
    from provision.stores.arango.store import ArangoStore

    return ArangoStore(options)


KIND = Kind(
    name="arango",
    title="ArangoDB",
    package=__name__,
    build=_build,
    driver="urllib3",
    extra="arango",
    can_be_home=True,
)
