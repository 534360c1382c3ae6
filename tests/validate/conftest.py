"""The platform on embedded engines, made once; each test begins with good rows only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.validate.comparing import Stores, stores
from tests.validate.platform import Platform, make


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, postgres_18: str, clickhouse_embedded: str) -> Platform:
    return make(tmp_path_factory.mktemp("platform"), postgres_18, clickhouse_embedded, "checked")


@pytest.fixture
def platform(made: Platform) -> Iterator[Platform]:
    """Good rows only, and none but the shipped suites."""
    made.clean()
    shipped = {path.name for path in (made.folder / "checks").iterdir()}
    yield made
    for path in (made.folder / "checks").iterdir():
        if path.name not in shipped:
            path.unlink()


@pytest.fixture(scope="session")
def compared(postgres_18: str, clickhouse_embedded: str) -> Iterator[Stores]:
    """Two empty databases to compare tables of."""
    with stores(postgres_18, clickhouse_embedded, "compared") as found:
        yield found
