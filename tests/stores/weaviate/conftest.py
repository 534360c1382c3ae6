"""A real Weaviate, empty for each test, and stores over documents given as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.weaviate.store import WeaviateStore
from tests.servers.databases import Weaviate
from tests.stores.weaviate.raw import Raw

Make = Callable[..., WeaviateStore]
WRITER, READER = "writer-key-1", "reader-key-2"
KEYS = {
    "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
    "AUTHENTICATION_APIKEY_ENABLED": "true",
    "AUTHENTICATION_APIKEY_ALLOWED_KEYS": f"{WRITER},{READER}",
    "AUTHENTICATION_APIKEY_USERS": "writer,reader",
    "AUTHORIZATION_ADMINLIST_ENABLED": "true",
    "AUTHORIZATION_ADMINLIST_USERS": "writer",
    "AUTHORIZATION_ADMINLIST_READONLY_USERS": "reader",
}


@pytest.fixture
def raw(weaviate: str) -> Iterator[Raw]:
    made = Raw(weaviate)
    made.wipe()
    yield made
    made.wipe()


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., StoreOptions]:
    """Writes documents given as text, numbered from 0001, and tells their store's options."""

    def write(*texts: str, **extra: object) -> StoreOptions:
        folder = tmp_path / "weaviate"
        folder.mkdir(exist_ok=True)
        for number, text in enumerate(texts, 1):
            (folder / f"{number:04}_case.yaml").write_text(text, encoding="utf-8")
        return StoreOptions("weaviate", "weaviate", "vfr", folder, tmp_path, extra)

    return write


@pytest.fixture
def make(written: Callable[..., StoreOptions], raw: Raw) -> Iterator[Make]:
    """Makes an open store with its ledger over documents given as text."""
    made: list[WeaviateStore] = []

    def one(*texts: str) -> WeaviateStore:
        store = build(written(*texts))
        assert isinstance(store, WeaviateStore)
        store.open(raw.url)
        store.ledger.create()
        made.append(store)
        return store

    yield one
    for store in made:
        store.close()


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Weaviate]:
    """A server that asks for keys: WRITER may do everything, READER may read."""
    server = Weaviate(tmp_path_factory.mktemp("locked"), KEYS)
    server.launch()
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def up(*operations: str, down: str = "auto") -> str:
    """A document of these operations."""
    return "up:\n" + "".join(f"  - {each}\n" for each in operations) + f"down: {down}\n"


FOR_GOOD = '{irreversible: "it stays"}'
