"""Redis: documents of operations, a ledger in a stream, leases by Lua on the server's clock."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind


def _build(options: StoreOptions) -> Store:
    from provision.stores.redis.store import RedisStore

    return RedisStore(options)


KIND = Kind(
    name="redis",
    title="Redis",
    package=__name__,
    build=_build,
    driver="redis",
    extra="redis",
    can_be_home=True,
    engine="provision.embedded.redis",
)
