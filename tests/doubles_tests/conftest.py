"""One double for all tests here; each test begins with an empty one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.arango import arango_double
from tests.doubles.served.process import reset
from tests.doubles_tests.wire import Wire

PASSWORD = "secret"


@pytest.fixture(scope="session")
def arango_url() -> Iterator[str]:
    with arango_double() as url:
        yield url


@pytest.fixture(scope="session")
def guarded_arango_url() -> Iterator[str]:
    with arango_double(PASSWORD) as url:
        yield url


@pytest.fixture
def arango(arango_url: str) -> Iterator[Wire]:
    reset(arango_url)
    wire = Wire(arango_url)
    yield wire
    wire.close()
