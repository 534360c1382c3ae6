"""An ArangoDB to talk to: a contract double with a password, and a way to it that can misbehave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.arango.store import ArangoStore
from tests.doubles.arango import arango_double
from tests.doubles.served.process import counts
from tests.stores.arango.gate import Gate, gate
from tests.stores.arango.raw import Raw

PASSWORD = "s3cret-word"
_NAMES = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the double, without login. At the end, no request may have broken the vendor's document."""
    with arango_double(password=PASSWORD) as url:
        yield url
        assert counts(url)["invalid_requests"] == []


@pytest.fixture
def raw(server: str) -> Iterator[Raw]:
    """A database of its own, not there yet, asked without any code of ours; gone afterwards."""
    made = Raw(server, f"db{next(_NAMES)}", PASSWORD)
    yield made
    made.drop()
    made.close()


@pytest.fixture
def url(raw: Raw) -> str:
    return raw.url


@pytest.fixture
def barred(server: str) -> Iterator[Gate]:
    """The gate before the server; `url_through` names a database behind it."""
    with gate(server) as made:
        yield made


@pytest.fixture
def url_through(barred: Gate, raw: Raw) -> str:
    return f"http://root:{PASSWORD}@127.0.0.1:{barred.port}/{raw.database}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "arango"
    made.mkdir()
    return made


@pytest.fixture
def make(folder: Path, tmp_path: Path) -> Iterator[Callable[..., ArangoStore]]:
    """Stores over the folder, closed afterwards."""
    stores: list[ArangoStore] = []

    def made(**extra: object) -> ArangoStore:
        store = build(StoreOptions("graph", "arango", "vfr", folder, tmp_path, extra))
        assert isinstance(store, ArangoStore)
        stores.append(store)
        return store

    yield made
    for each in stores:
        each.close()
