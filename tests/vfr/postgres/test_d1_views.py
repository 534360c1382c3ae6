"""D1: materialized views refreshed beside readers, and the views for monitoring."""

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from ..factories.postgres import FEATURE, ML_MODEL, NOW, insert, insert_ml_base
from . import migrations
from .rows import scalar
from .servers import Server

SLOW_QUERIES = migrations.ROOT / "alembic" / "repeatable" / "vw_slow_queries.sql"
MATERIALIZED = ["mv_feature_vectors", "mv_model_performance"]
ZONES = ["UTC", "America/New_York", "Asia/Tokyo"]
DAY = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=2)


@pytest.fixture
def filled(connection: psycopg.Connection) -> psycopg.Connection:
    """Two values of a feature on one day, eleven features at one time, three predictions of which two are decided."""
    insert_ml_base(connection)
    for hour, value in ((1, "1"), (23, "2")):
        insert(connection, "ml_feature_store", timestamp=DAY + timedelta(hours=hour), value=value)
    for n in range(11):
        feature = uuid4()
        version = 1 if n < 10 else 2  # the last is the second version of the one before it
        name = f"feature {min(n, 9)}"
        insert(connection, "ml_feature_definitions", feature_id=feature, feature_name=name, feature_version=version)
        insert(connection, "ml_feature_store", ticker="MSFT", timestamp=DAY, feature_id=feature, value=n)
    for n, (error, correct) in enumerate((("1", True), ("3", False), (None, None))):
        insert(
            connection,
            "ml_predictions",
            prediction_timestamp=DAY + timedelta(hours=n),
            actual_value=error,
            absolute_error=error,
            squared_error=None if error is None else Decimal(error) ** 2,
            direction_correct=correct,
            execution_time_ms=n,
        )
    return connection


@pytest.mark.parametrize("view", MATERIALIZED)
def test_materialized_view_is_refreshed_beside_readers(filled: psycopg.Connection, view: str) -> None:
    assert scalar(filled, f"SELECT count(*) FROM {view}") == 0
    filled.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}")
    before = scalar(filled, f"SELECT count(*) FROM {view}")
    assert before
    filled.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}")
    assert scalar(filled, f"SELECT count(*) FROM {view}") == before


@pytest.mark.parametrize("zone", ZONES)
def test_daily_features_are_of_the_day_in_utc_from_any_session(filled: psycopg.Connection, zone: str) -> None:
    filled.execute(f"SET LOCAL timezone = '{zone}'")
    filled.execute("SET LOCAL search_path = pg_catalog")
    filled.execute("SELECT public.refresh_daily_features()")
    query = "SELECT trade_date, value, rank_latest FROM public.mv_daily_features WHERE feature_id = %s ORDER BY 3"
    assert filled.execute(query, [FEATURE]).fetchall() == [
        (DAY.date(), Decimal(2), 1),
        (DAY.date(), Decimal(1), 2),
    ]


OF_THE_QUERY = """
    SELECT ticker, (timestamp AT TIME ZONE 'UTC')::date, feature_id, value, confidence_score, data_quality_score,
        source_provider, rank() OVER (
            PARTITION BY ticker, (timestamp AT TIME ZONE 'UTC')::date, feature_id ORDER BY timestamp DESC
        )
    FROM ml_feature_store
    WHERE timestamp >= date_trunc('day', now(), 'UTC') - interval '90 days' AND validation_status = 'valid'
    ORDER BY 1, 2, 3, 8
"""
WRITES = {
    "a row more": (
        "INSERT INTO ml_feature_store (ticker, timestamp, feature_id, value, validation_status)"
        " SELECT ticker, timestamp + interval '1 minute', feature_id, 3, 'valid' FROM one"
    ),
    "another value": "UPDATE ml_feature_store SET value = 7 FROM one WHERE {same}",
    "two fields change places": (
        "UPDATE ml_feature_store f SET confidence_score = f.data_quality_score,"
        " data_quality_score = f.confidence_score FROM one WHERE {same}"
    ),
    "no value any more": "UPDATE ml_feature_store SET confidence_score = NULL FROM one WHERE {same}",
    "not valid any more": "UPDATE ml_feature_store SET validation_status = 'invalid' FROM one WHERE {same}",
    "another day": "UPDATE ml_feature_store SET timestamp = one.timestamp - interval '5 days' FROM one WHERE {same}",
    "gone": "DELETE FROM ml_feature_store USING one WHERE {same}",
    "a whole day gone": "DELETE FROM ml_feature_store WHERE ticker <> 'MSFT'",
    "all gone": "TRUNCATE ml_feature_store",
    "too old by now": "UPDATE ml_feature_store SET timestamp = now() - interval '91 days' FROM one WHERE {same}",
}
SAME = "ml_feature_store.timestamp = one.timestamp AND ml_feature_store.feature_id = one.feature_id"


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_daily_features_are_those_of_the_query_after_every_kind_of_write(
    filled: psycopg.Connection, write: str
) -> None:
    def kept() -> list[tuple[object, ...]]:
        filled.execute("SELECT refresh_daily_features()")
        return filled.execute("SELECT * FROM mv_daily_features ORDER BY 1, 2, 3, 8").fetchall()

    filled.execute("UPDATE ml_feature_store SET confidence_score = 0.5, data_quality_score = 0.7")
    filled.execute("CREATE TEMPORARY TABLE one AS SELECT * FROM ml_feature_store WHERE ticker <> 'MSFT' LIMIT 1")
    before = kept()
    assert before == filled.execute(OF_THE_QUERY).fetchall()
    same = SAME.replace("ml_feature_store", "f") if "_store f" in write else SAME
    filled.execute(write.format(same=same).encode())

    after = kept()

    assert after == filled.execute(OF_THE_QUERY).fetchall()
    assert after != before


def test_daily_features_of_days_that_did_not_change_are_left_alone(filled: psycopg.Connection) -> None:
    filled.execute("SELECT refresh_daily_features()")
    before = filled.execute("SELECT ctid, trade_date FROM mv_daily_features ORDER BY 1").fetchall()

    filled.execute("SELECT refresh_daily_features()")

    assert filled.execute("SELECT ctid, trade_date FROM mv_daily_features ORDER BY 1").fetchall() == before


def test_vector_holds_each_name_once_in_its_last_active_version(filled: psycopg.Connection) -> None:
    filled.execute("REFRESH MATERIALIZED VIEW mv_feature_vectors")
    rows = filled.execute("SELECT ticker, feature_count, feature_vector FROM mv_feature_vectors").fetchall()
    ((ticker, count, vector),) = rows
    assert (ticker, count, len(vector)) == ("MSFT", 10, 10)
    assert vector["feature 9"]["value"] == 10
    filled.execute("UPDATE ml_feature_definitions SET is_active = false WHERE feature_version = 2")
    filled.execute("REFRESH MATERIALIZED VIEW mv_feature_vectors")
    vector = scalar(filled, "SELECT feature_vector FROM mv_feature_vectors")
    assert isinstance(vector, dict)
    assert vector["feature 9"]["value"] == 9


@pytest.mark.parametrize("zone", ZONES)
def test_performance_counts_what_is_decided(filled: psycopg.Connection, zone: str) -> None:
    filled.execute(f"SET LOCAL timezone = '{zone}'")
    filled.execute("REFRESH MATERIALIZED VIEW mv_model_performance")
    query = """SELECT model_id, prediction_date, total_predictions, predictions_with_actuals, mean_absolute_error,
                      round(rmse ^ 2, 6), direction_accuracy, median_absolute_error, max_latency_ms, cache_hit_rate
               FROM mv_model_performance"""
    assert filled.execute(query).fetchall() == [
        (ML_MODEL, DAY.date(), 3, 2, Decimal(2), Decimal(5), Decimal("0.5"), 2.0, 2, Decimal(0))
    ]


def test_performance_keeps_types_apart(filled: psycopg.Connection) -> None:
    insert(filled, "ml_predictions", prediction_timestamp=DAY, prediction_type="volatility", predicted_value="0.2")
    filled.execute("REFRESH MATERIALIZED VIEW CONCURRENTLY mv_model_performance")
    assert scalar(filled, "SELECT count(*) FROM mv_model_performance") == 2


def test_reach_is_counted_in_days_of_utc(filled: psycopg.Connection) -> None:
    edge = scalar(filled, "SELECT date_trunc('day', now(), 'UTC') - interval '90 days'")
    filled.execute("SELECT create_monthly_partitions('ml_feature_store', 4, 0)")
    for n, moment in enumerate(("0", "-1 microsecond")):
        moment_at = scalar(filled, "SELECT %s::timestamptz + %s::interval", edge, moment)
        insert(filled, "ml_feature_store", ticker=f"EDGE{n}", timestamp=moment_at)
    filled.execute("SET LOCAL timezone = 'Pacific/Kiritimati'")
    filled.execute("SELECT refresh_daily_features()")
    found = filled.execute("SELECT ticker FROM mv_daily_features WHERE ticker ~ 'EDGE'").fetchall()
    assert found == [("EDGE0",)]
    assert isinstance(scalar(filled, "SELECT min(trade_date) FROM mv_daily_features"), date)


@pytest.mark.parametrize("path", ["public", "pg_catalog", "elsewhere, public"])
def test_sizes_include_partitions_under_any_search_path(connection: psycopg.Connection, path: str) -> None:
    connection.execute('CREATE TABLE "ml_Mixed" (n integer)')
    connection.execute("CREATE TABLE mlxyz (n integer)")
    connection.execute("CREATE SCHEMA elsewhere")
    connection.execute("CREATE TABLE elsewhere.ml_models (n integer)")
    connection.execute(f"SET LOCAL search_path = {path}")
    sizes: dict[str, int] = dict(
        connection.execute("SELECT tablename, size_bytes FROM public.vw_table_sizes").fetchall()
    )
    assert len(sizes) == 17
    assert "ml_Mixed" in sizes
    assert "mlxyz" not in sizes
    query = "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('public.ml_predictions')"
    assert sizes["ml_predictions"] == scalar(connection, query)
    assert sizes["ml_predictions"] > 0
    query = "SELECT pg_total_relation_size('public.ml_models')"
    assert sizes["ml_models"] == scalar(connection, query)


def test_index_usage_rates_blocks_and_names_the_parent_of_a_part(connection: psycopg.Connection) -> None:
    insert_ml_base(connection)
    connection.execute("SET LOCAL search_path = pg_catalog")
    rows = connection.execute("SELECT indexname, partition_of, hit_rate FROM public.vw_index_usage").fetchall()
    names = {name for name, _, _ in rows}
    assert {"ml_models_pkey", "idx_model_created"} <= names
    assert {parent for _, parent, _ in rows} >= {"idx_predictions_ticker_time", "ml_feature_store_pkey", None}
    assert all(rate is None or 0 <= rate <= 100 for _, _, rate in rows)
    assert not any(name.startswith("pg_") for name in names)


def test_index_that_is_always_found_in_memory_is_rated_100(head: psycopg.Connection) -> None:
    """A bitmap scan, an index scan and an index-only scan; the entries read and fetched would say otherwise."""
    scan = "SELECT sum(n), count(*) FROM ml_rated WHERE n < 300"
    head.execute("CREATE TABLE ml_rated AS SELECT n FROM generate_series(1, 3000) n")
    try:
        head.execute("CREATE INDEX idx_rated ON ml_rated (n)")
        head.execute("VACUUM ANALYZE ml_rated")
        head.execute("SET enable_seqscan = off")
        head.execute(scan)  # brings the index into memory
        head.execute("SELECT pg_stat_force_next_flush()")
        head.execute("SELECT pg_stat_reset_single_table_counters('idx_rated'::regclass)")
        for off in ("enable_indexscan", "enable_bitmapscan"):
            head.execute(f"SET {off} = off")
            head.execute(scan)
            head.execute(f"RESET {off}")
        head.execute("SELECT pg_stat_force_next_flush()")
        query = "SELECT idx_scan, idx_tup_read > idx_tup_fetch, hit_rate FROM vw_index_usage WHERE indexname = %s"
        assert head.execute(query, ["idx_rated"]).fetchall() == [(2, True, Decimal(100))]
    finally:
        head.execute("RESET enable_seqscan")
        head.execute("DROP TABLE ml_rated")


def parts(file: Path) -> tuple[str, str]:
    up, down = file.read_text().split("-- down:")
    return up, down


def test_slow_queries_need_the_extension_and_apply_twice_with_it(server: Server, database: str) -> None:
    up, down = parts(SLOW_QUERIES)
    assert "-- needs: extension pg_stat_statements\n" in up
    with psycopg.connect(server.url(database), autocommit=True) as connection:
        available = scalar(connection, "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_stat_statements'")
        with pytest.raises(psycopg.errors.UndefinedTable):
            connection.execute(up)
        if not available:  # the wheel of 18 brings no extensions
            return
        connection.execute("CREATE EXTENSION pg_stat_statements")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            connection.execute("CREATE VIEW seed AS SELECT query, total_time FROM pg_stat_statements")
        for _ in range(2):
            connection.execute(up)
        connection.execute("SELECT pg_sleep(0.15)")
        query = "SELECT calls, mean_exec_time > 100 FROM vw_slow_queries WHERE query ~ 'pg_sleep'"
        assert connection.execute(query).fetchall() == [(1, True)]
        connection.execute(down)
