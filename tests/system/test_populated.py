"""A platform of the first release, filled, moves with one `up`: every row stays, nothing is settled by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import clickhouse_connect
import psycopg
import pytest
import redis

from tests.doubles.arango import arango_double
from tests.servers.databases import Influx1, Postgres15, Redis7, embedded_url
from tests.system import six
from tests.system.sites import Site
from tests.vfr.clickhouse.rows import DECISION, FEEDBACK, METRIC, PERFORMANCE
from tests.vfr.factories.postgres import (
    GLOBEX_USER,
    ML_MODEL,
    MODEL,
    VALID,
    insert,
    insert_base,
    insert_ml_base,
)

# File → SHA-256, of the first release.
RELEASED: dict[str, str] = json.loads((Path(__file__).parents[1] / "fixtures" / "released.json").read_text())
FOLDERS = ("alembic/versions", "clickhouse", "redis", "influx", "weaviate", "arango")
OFF = {"PROVISION_WEAVIATE__URL": "off"}
OLD_DECISION = {key: value for key, value in DECISION.items() if key not in ("risk_level", "model_versions", "user_id")}


@pytest.mark.parametrize("file", RELEASED)
def test_released_file_is_as_it_was(file: str) -> None:
    assert hashlib.sha256((six.REPOSITORY / file).read_bytes()).hexdigest() == RELEASED[file]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The platform as the first release installs it, with its sample documents, filled; the files are today's again."""
    folder = six.copied(tmp_path_factory.mktemp("populated"))
    later = {
        path.relative_to(folder): path.read_bytes()
        for each in FOLDERS
        for path in (folder / each).iterdir()
        if path.is_file() and path.relative_to(folder).as_posix() not in RELEASED
    }
    with ExitStack() as stack:
        urls = {
            "ML_DATABASE_URL": stack.enter_context(Postgres15()).url,
            "REDIS_URL": stack.enter_context(Redis7()).url,
            "CLICKHOUSE_URL": stack.enter_context(embedded_url("clickhouse")),
            "INFLUXDB_URL": stack.enter_context(Influx1()).url,
            "ARANGO_URL": f"{stack.enter_context(arango_double())}/vfr",
            "WEAVIATE_URL": "off",
        }
        made = Site(folder, "production", urls, off=OFF)
        project = (folder / "provision.toml").read_text()
        for path in later:
            (folder / path).unlink()
        without = "\n".join(line for line in project.split("\n") if not line.startswith(("options =", "forgoes =")))
        (folder / "provision.toml").write_text(without)
        made.good("up")
        assert "arango/0005" in made.applied()
        fill(urls)
        (folder / "provision.toml").write_text(project)
        for path, text in later.items():
            (folder / path).write_bytes(text)
        yield made


def fill(urls: dict[str, str]) -> None:
    """A right row in every table, and rows that today's checks refuse."""
    with psycopg.connect(urls["ML_DATABASE_URL"]) as owner:
        insert_base(owner)
        insert_ml_base(owner)
        for table in VALID:
            insert(owner, table)
        insert(owner, "probabilistic_models", id=GLOBEX_USER, model_name="shared", is_shared=True)
        insert(owner, "model_training_history", tenant_id="globex", model_id=GLOBEX_USER)
        insert(owner, "model_training_history", tenant_id="globex", model_id=MODEL)
        for table in ("ml_predictions", "ml_feature_store", "ml_enhancement_store"):
            insert(owner, table, ticker="aapl")
        insert(owner, "ml_datasets", dataset_name="", tickers="{}")
        insert(owner, "trading_decisions", symbol="", decided_at="2099-01-01")
        insert(owner, "ml_model_deployments", model_id=ML_MODEL, traffic_percentage="90")
    with clickhouse_connect.get_client(dsn=urls["CLICKHOUSE_URL"], autogenerate_session_id=False) as client:
        for table, row in (
            ("trading_decisions_probabilistic", DECISION),
            ("trading_decisions_probabilistic", OLD_DECISION | {"tenant_id": "ACME Corp", "position_size": -100}),
            ("probability_metrics_realtime", METRIC),
            ("model_feedback_events", FEEDBACK),
            ("probabilistic_performance_analytics", PERFORMANCE),
        ):
            client.raw_insert(table, insert_block=json.dumps(row), fmt="JSONEachRow")
    with redis.Redis.from_url(urls["REDIS_URL"]) as client:
        client.set("vfr:enhanced:AAPL:1823328", "{}")
        client.xadd("vfr:stream:learning_events", {"tenant_id": "acme"})


def rows(site: Site) -> dict[str, list[object]]:
    """Table → its rows as text, of PostgreSQL and ClickHouse."""
    found: dict[str, list[object]] = {}
    with psycopg.connect(site.variables["ML_DATABASE_URL"]) as owner:
        for table in VALID:
            found[table] = owner.execute(f"SELECT t::text FROM {table} t ORDER BY 1".encode()).fetchall()
    with clickhouse_connect.get_client(dsn=site.variables["CLICKHOUSE_URL"]) as client:
        for table in ("trading_decisions_probabilistic", "model_feedback_events", "confidence_monitoring"):
            found[f"clickhouse {table}"] = list(client.query(f"SELECT * FROM {table} ORDER BY ALL").result_rows)
    return found


def test_one_up_moves_all_of_it_and_keeps_every_row(site: Site) -> None:
    before = rows(site)
    assert all(before.values())
    moved = site.good("up")
    assert "applied" in moved.last
    assert rows(site) == before
    assert site.good("up").last == "nothing to do"
    site.good("status", "--check")
    assert {each for each in site.versioned() if not each.startswith("weaviate/")} <= site.applied()
    assert ("arango/0005" in site.applied(), "redis/0007" in site.applied()) == (True, False)


def test_check_that_an_old_row_breaks_is_left_unproved_and_holds_for_new_ones(site: Site) -> None:
    site.good("up")
    with psycopg.connect(site.variables["ML_DATABASE_URL"]) as owner:
        query = """SELECT c.relname || '.' || conname FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
                   WHERE NOT convalidated AND NOT relispartition ORDER BY 1"""
        assert [name for (name,) in owner.execute(query)] == [
            "ml_datasets.chk_not_empty",
            "ml_datasets.chk_tickers",
            "ml_enhancement_store.chk_ticker",
            "ml_feature_store.chk_ticker",
            "ml_predictions.chk_ticker",
            "trading_decisions.chk_decided_at",
            "trading_decisions.chk_symbol",
        ]
        with pytest.raises(psycopg.errors.CheckViolation), owner.transaction():
            insert(owner, "ml_predictions", ticker="msft")
    found = site.run("doctor")
    assert "not proved for rows from before: ml_datasets.chk_not_empty" in found.out
    assert "row security binds all but this user in 7 tables, their owner too" in found.out
