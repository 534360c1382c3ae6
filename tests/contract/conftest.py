"""One bench for every store on every server; a later store adds its case here."""

from __future__ import annotations

from provision.testing.contract import Case, run_on
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
pytest_generate_tests, bench = run_on(CASES)
