"""ArangoDB: documents of operations."""

from __future__ import annotations

from provision.documents.kind import DocumentKind
from provision.model import StoreOptions
from provision.ports import Store

_EXAMPLE = """\
#  - create_collection: {name: orders}
#  - create_collection: {name: order_items, type: 3}  # 2 documents, 3 edges
#  - create_index: {collection: orders, name: by_customer, type: persistent, fields: [customer, placed_at]}
#  - create_graph:
#      name: shop
#      edgeDefinitions: [{collection: order_items, from: [orders], to: [orders]}]
"""


def _build(options: StoreOptions) -> Store:
    from provision.stores.arango.store import ArangoStore

    return ArangoStore(options)


KIND = DocumentKind(
    name="arango",
    title="ArangoDB",
    package=__name__,
    build=_build,
    driver="urllib3",
    extra="arango",
    can_be_home=True,
    example=_EXAMPLE,
)
