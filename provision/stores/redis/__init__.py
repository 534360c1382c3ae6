"""Redis: documents of operations, a ledger in a stream, leases by Lua on the server's clock."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store


def build(options: StoreOptions) -> Store:
    """The store for these options; loads no driver and connects to nothing."""
    from provision.stores.redis.store import RedisStore

    return RedisStore(options)
