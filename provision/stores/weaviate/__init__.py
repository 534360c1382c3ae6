"""Weaviate: documents of operations."""

from __future__ import annotations

from provision.model import StoreOptions
from provision.ports import Store
from provision.ports.kind import Kind


def _build(options: StoreOptions) -> Store:
    from provision.stores.weaviate.store import WeaviateStore

    return WeaviateStore(options)


KIND = Kind(
    name="weaviate",
    title="Weaviate",
    package=__name__,
    build=_build,
    driver="urllib3",
    extra="weaviate",
    engine="provision.embedded.weaviate",
    program="weaviate-server",
)
