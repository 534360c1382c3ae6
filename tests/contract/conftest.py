"""One bench for every store on every server; a later store adds its case here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.bench import Bench
from tests.contract.case import Case
from tests.contract.case_arango import ArangoCase
from tests.contract.case_clickhouse import ClickhouseCase
from tests.contract.case_fake import FakeCase, FakePeerCase
from tests.contract.case_influx import Influx1Case
from tests.contract.case_influx2 import Influx2Case
from tests.contract.case_postgres import Postgres15Case, Postgres18Case
from tests.contract.case_redis import Redis6Case, Redis7Case
from tests.contract.case_weaviate import WeaviateCase

CASES: dict[str, type[Case]] = {
    "fake": FakeCase,
    "fake_peer": FakePeerCase,
    "postgres15": Postgres15Case,
    "postgres18": Postgres18Case,
    "clickhouse": ClickhouseCase,
    "redis6": Redis6Case,
    "redis7": Redis7Case,
    "influx1": Influx1Case,
    "influx2": Influx2Case,
    "weaviate": WeaviateCase,
    "arango": ArangoCase,
}
PEERS = ["fake_peer", "postgres15", "postgres18", "clickhouse"]
WITH_LEASES = [name for name, case in CASES.items() if case.leases]
# The clients of ClickHouse and Redis open another one when theirs was cut between two requests.
KEEPING_A_CONNECTION = [name for name in CASES if name.startswith(("fake", "postgres"))]
WITH_STATEMENTS = [name for name in CASES if not name.startswith("postgres")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test that takes `bench` runs on every store; the mark `stores` narrows it to those that have the part."""
    if "bench" in metafunc.fixturenames:
        narrowed = metafunc.definition.get_closest_marker("stores")
        metafunc.parametrize("bench", narrowed.args[0] if narrowed else list(CASES), indirect=True)


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "stores(names): the stores that have the part under test")


@pytest.fixture
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bench]:
    kind = CASES[request.param]
    case = kind(request.getfixturevalue(kind.server) if kind.server else "")
    try:
        yield Bench(case, tmp_path)
    finally:
        case.close()
