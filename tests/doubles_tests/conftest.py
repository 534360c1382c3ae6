"""One double of each kind for all tests here; each test begins with an empty one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.doubles.arango import arango_double
from tests.doubles.influx2 import influx2_double
from tests.doubles.served.process import reset
from tests.doubles_tests.wire import Wire

PASSWORD, TOKEN, ORG = "secret", "token-of-the-first", "o"


@pytest.fixture(scope="session")
def arango_url() -> Iterator[str]:
    with arango_double() as url:
        yield url


@pytest.fixture(scope="session")
def guarded_arango_url() -> Iterator[str]:
    with arango_double(PASSWORD) as url:
        yield url


@pytest.fixture(scope="session")
def influx2_url() -> Iterator[str]:
    with influx2_double(TOKEN, ORG) as url:
        yield url


@pytest.fixture
def arango(arango_url: str) -> Iterator[Wire]:
    reset(arango_url)
    wire = Wire(arango_url)
    yield wire
    wire.close()


@pytest.fixture
def influx2(influx2_url: str) -> Iterator[Wire]:
    reset(influx2_url)
    wire = Wire(influx2_url, f"Token {TOKEN}")
    yield wire
    wire.close()
