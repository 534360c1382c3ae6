"""Fixtures over a real InfluxDB 1.6 that asks for a login."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provision.errors import ProvisionError, Several
from provision.kinds import build
from provision.model import StoreOptions
from provision.stores.influx.store import InfluxStore
from tests.stores.influx.api import Api
from tests.stores.influx.raw import Raw

Write = Callable[..., StoreOptions]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes documents given as the text of their operations, numbered from 0001: `write(up, …)`; the options of them.

    A text that begins with a key of a document is taken as the whole of it.
    """

    def one(*texts: str, project: str = "vfr", **extra: object) -> StoreOptions:
        folder = tmp_path / "influx"
        folder.mkdir(exist_ok=True)
        for number, text in enumerate(texts, 1):
            whole = text if text.startswith(("up:", "description:")) else f"up:\n{text}down: auto\n"
            (folder / f"{number:04}_case.yaml").write_text(whole, encoding="utf-8")
        return StoreOptions("influx", "influx", project, folder, tmp_path, extra)

    return one


@pytest.fixture
def told(write: Write) -> Callable[..., list[str]]:
    """What is said of documents: `what | where | fix [code]` of every error."""

    def one(*texts: str) -> list[str]:
        try:
            build(write(*texts)).revisions()
        except Several as several:
            return [shown(each) for each in several.errors]
        except ProvisionError as error:
            return [shown(error)]
        return []

    return one


def shown(error: ProvisionError) -> str:
    return f"{error.what} | {error.where} | {error.fix} [{error.code} {error.exit_code}]"


@pytest.fixture
def api(influx_2: str) -> Iterator[Api]:
    made = Api(influx_2)
    made.wipe()
    yield made
    made.wipe()


@pytest.fixture
def raw(influx_1: str) -> Iterator[Raw]:
    server = Raw(influx_1)
    server.wipe()
    yield server
    server.wipe()


@pytest.fixture
def make(write: Write, influx_1: str, raw: Raw) -> Iterator[Callable[..., InfluxStore]]:
    """Makes, on a server that holds nothing, an open store over documents given as `write` takes them."""
    made: list[InfluxStore] = []
    assert raw.databases() == []

    def one(*texts: str, project: str = "vfr") -> InfluxStore:
        store = build(write(*texts, project=project))
        assert isinstance(store, InfluxStore)
        store.open(influx_1)
        store.ledger.create()
        made.append(store)
        return store

    yield one
    for store in made:
        store.close()
