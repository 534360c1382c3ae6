"""D1: statements of the document as it has them, on a real server, and beside each what stands here for it.

A table is run as it is written first, which its inline INDEX ends (defect 1); then without those lines alone, so that
the defect behind them is seen. Rows refer to other tables: the test names none of them (`session_replication_role`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.vfr import seed
from tests.vfr.factories.postgres import ML_MODEL, insert, insert_base, insert_ml_base

from .rows import scalar

# The document uses this table and never defines it (defect 4).
FEATURES = """
    CREATE TABLE ml_feature_store (
        ticker varchar(20), timestamp timestamptz, feature_id uuid, value decimal, confidence_score decimal,
        data_quality_score decimal, source_provider text, validation_status text
    )
"""
PREDICTION = """
    INSERT INTO ml_predictions (model_id, ticker, prediction_timestamp, prediction_horizon, prediction_type,
        predicted_value, confidence_score, current_price)
    VALUES ('{model}', 'AAPL', now(), '1d', '{type}', {value}, 0.9, 100) RETURNING prediction_id
"""


@contextmanager
def tables(connection: psycopg.Connection, *names: str) -> Iterator[None]:
    """Tables of the document without their inline INDEX and what they refer to, gone at the end."""
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL session_replication_role = 'replica'")  # references are not looked up
        for name in names:
            # The second of its two keys is a defect of its own (5).
            create = seed.without_indexes(seed.table(name)).replace("result_id UUID PRIMARY KEY", "result_id UUID")
            for other in ("ml_models(model_id)", "ml_backtesting_experiments(experiment_id)"):
                parent, _, key = other.removesuffix(")").partition("(")
                if f"REFERENCES {other}" in create and scalar(connection, f"SELECT to_regclass('{parent}')") is None:
                    connection.execute(f"CREATE TABLE {parent} ({key} uuid PRIMARY KEY)".encode())
            connection.execute(create.encode())
        yield


@pytest.fixture
def ours(connection: psycopg.Connection) -> psycopg.Connection:
    insert_base(connection)
    insert_ml_base(connection)
    return connection


def state(connection: psycopg.Connection, statement: str) -> str | None:
    with pytest.raises(psycopg.Error) as caught, connection.transaction():
        connection.execute(statement.encode())
    return caught.value.sqlstate


@pytest.mark.parametrize(
    "name", ["ml_backtesting_results", "ml_predictions", "ml_feature_definitions", "ml_feature_pipelines", "ml_models"]
)
def test_table_of_the_document_as_it_is_written_cannot_be_made(document: psycopg.Connection, name: str) -> None:
    assert state(document, seed.table(name)) in ("42601", "42704")


def test_5_results_of_the_document_have_two_primary_keys(document: psycopg.Connection) -> None:
    create = seed.without_indexes(seed.table("ml_backtesting_results"))
    assert create.count("PRIMARY KEY") == 2
    assert state(document, create) == "42P16"


def test_5_ticker_is_bought_and_sold_on_one_day(document: psycopg.Connection, ours: psycopg.Connection) -> None:
    trade = f"""INSERT INTO ml_backtesting_results (experiment_id, trade_date, ticker, action, quantity)
                VALUES ('{ML_MODEL}', '2026-01-02', 'AAPL', 'BUY', 1)"""
    with tables(document, "ml_backtesting_results"):
        document.execute(trade.encode())
        assert state(document, trade.replace("BUY", "SELL")) == "23505"

    for sequence, action in enumerate(("BUY", "SELL"), 1):
        insert(ours, "ml_backtesting_results", action=action, trade_sequence=sequence)
    assert scalar(ours, "SELECT count(*) FROM ml_backtesting_results WHERE trade_date = '2026-01-02'") == 2


def test_8_document_takes_the_same_prediction_twice(document: psycopg.Connection, ours: psycopg.Connection) -> None:
    same = PREDICTION.format(model=ML_MODEL, type="price_target", value=110)
    with tables(document, "ml_predictions"):
        for _ in range(2):
            document.execute(same.encode())
        assert scalar(document, "SELECT count(*) FROM ml_predictions") == 2

    ours.execute(same.encode())
    assert state(ours, same) == "23505"


REFRESHED = ("mv_daily_features", "mv_feature_vectors", "mv_model_performance")
OLD_PARTITIONS = """
    CREATE FUNCTION drop_old_partitions(name text, age interval) RETURNS void LANGUAGE sql
    AS $$ INSERT INTO dropped VALUES (name, age) $$
"""


def test_11_maintenance_of_the_document_fails_three_times_over(
    document: psycopg.Connection, ours: psycopg.Connection
) -> None:
    with tables(document, "ml_feature_definitions", "ml_backtesting_results", "ml_predictions"):
        document.execute(FEATURES)
        for view in REFRESHED:
            document.execute(seed.statement(f"CREATE MATERIALIZED VIEW {view} AS").encode())
        document.execute(seed.statement("CREATE UNIQUE INDEX idx_mv_daily_features_primary").encode())
        document.execute(seed.statement("CREATE UNIQUE INDEX idx_mv_model_performance_primary").encode())
        document.execute(seed.statement("CREATE OR REPLACE FUNCTION maintain_ml_tables()").encode())
        call = "SELECT maintain_ml_tables()"
        assert state(document, call) == "55000"  # mv_feature_vectors has no unique index
        document.execute("CREATE UNIQUE INDEX ON mv_feature_vectors (ticker, timestamp)")
        assert state(document, call) == "42883"  # drop_old_partitions is nowhere
        document.execute("CREATE TABLE dropped (name text, age interval)")
        document.execute(OLD_PARTITIONS)
        assert state(document, call) == "25001"  # REINDEX CONCURRENTLY in a function

    ours.execute("SELECT refresh_daily_features()")
    for view in REFRESHED[1:]:
        ours.execute(f"REFRESH MATERIALIZED VIEW CONCURRENTLY {view}".encode())


def test_15_sizes_of_the_document_are_wrong_or_fail(document: psycopg.Connection, ours: psycopg.Connection) -> None:
    sizes = seed.statement("CREATE VIEW vw_table_sizes AS")
    with document.transaction(force_rollback=True):
        document.execute("CREATE TABLE ml_parted (t timestamptz) PARTITION BY RANGE (t)")
        document.execute("CREATE TABLE windows_of_it PARTITION OF ml_parted DEFAULT")
        document.execute("INSERT INTO ml_parted VALUES (now())")
        document.execute("CREATE TABLE mlxyz ()")
        document.execute(sizes.encode())
        found = dict(document.execute("SELECT tablename, size_bytes FROM vw_table_sizes").fetchall())
        assert found == {"ml_parted": 0, "mlxyz": 0}
        with document.transaction(force_rollback=True):
            document.execute("SET LOCAL search_path = pg_catalog")
            assert state(document, "SELECT * FROM public.vw_table_sizes") == "42P01"
        document.execute('CREATE TABLE "ml_Mixed" ()')
        assert state(document, "SELECT * FROM vw_table_sizes") == "42P01"

    ours.execute('CREATE TABLE "ml_Mixed" (); CREATE TABLE mlxyz ()')
    insert(ours, "ml_predictions")
    ours.execute("SET LOCAL search_path = pg_catalog")
    found = dict(ours.execute("SELECT tablename, size_bytes FROM public.vw_table_sizes").fetchall())
    assert (found["ml_predictions"] > 0, found["ml_Mixed"], "mlxyz" in found) == (True, 0, False)


@pytest.mark.parametrize(
    ("table", "version", "others"),
    [
        ("ml_feature_definitions", "feature_version", "'technical', 'float', '1d'"),
        ("ml_feature_pipelines", "pipeline_version", "'{}', '{}', '[]'"),
    ],
)
def test_19_document_takes_no_second_version(
    document: psycopg.Connection, ours: psycopg.Connection, table: str, version: str, others: str
) -> None:
    name = version.replace("version", "name")
    columns = "feature_type, data_type, calculation_frequency"
    columns = columns if table == "ml_feature_definitions" else "input_features, output_features, pipeline_steps"
    row = f"INSERT INTO {table} ({name}, {version}, {columns}) VALUES ('of one name', 'N', {others})"
    with tables(document, table):
        document.execute(row.replace("'N'", "'1'").encode())
        assert state(document, row.replace("'N'", "'2'")) == "23505"

    for number in ("1", "2"):
        insert(ours, table, **{name: "of one name", version: number})
    assert scalar(ours, f"SELECT count(*) FROM {table} WHERE {name} = 'of one name'") == 2


def test_20_document_keeps_the_first_time_of_change(document: psycopg.Connection, ours: psycopg.Connection) -> None:
    with tables(document, "ml_feature_definitions"):
        document.execute("SET LOCAL session_replication_role = 'origin'")  # triggers would fire
        document.execute(
            """INSERT INTO ml_feature_definitions
                   (feature_name, feature_type, data_type, calculation_frequency, updated_at)
               VALUES ('rsi', 'technical', 'float', '1d', '2000-01-01')"""
        )
        document.execute("UPDATE ml_feature_definitions SET is_active = false")
        assert scalar(document, "SELECT updated_at = '2000-01-01' FROM ml_feature_definitions") is True

    insert(ours, "ml_feature_definitions", feature_name="moves", updated_at="2000-01-01")
    ours.execute("UPDATE ml_feature_definitions SET is_active = false WHERE feature_name = 'moves'")
    moved = "SELECT updated_at > '2026-01-01' FROM ml_feature_definitions WHERE feature_name = 'moves'"
    assert scalar(ours, moved) is True


def test_24_actual_of_the_document_finds_a_direction_in_a_probability_and_no_lack_of_rows(
    document: psycopg.Connection, ours: psycopg.Connection
) -> None:
    update = seed.block("UPDATE ml_predictions\n", "\n    `")
    of_a_probability = PREDICTION.format(model=ML_MODEL, type="probability", value=0.7)
    with tables(document, "ml_predictions"):
        prediction = scalar(document, of_a_probability)
        document.execute(f"PREPARE actual (uuid, numeric, timestamptz) AS {update}".encode())
        document.execute(f"EXECUTE actual ('{prediction}', 1, now())".encode())
        assert scalar(document, "SELECT direction_correct FROM ml_predictions") is True  # both are below 100 USD
        assert document.execute(f"EXECUTE actual ('{ML_MODEL}', 1, now())".encode()).rowcount == 0  # without a word
        document.execute("DEALLOCATE actual")

    prediction = scalar(ours, of_a_probability)
    ours.execute(f"SELECT update_prediction_actual('{prediction}', now(), 1, now())".encode())
    of_it = f"FROM ml_predictions WHERE prediction_id = '{prediction}'"
    assert scalar(ours, f"SELECT direction_correct IS NULL AND actual_value = 1 {of_it}") is True
    assert state(ours, f"SELECT update_prediction_actual('{ML_MODEL}', now(), 1, now())") == "P0002"


def test_27_document_keeps_predictions_for_three_terms(document: psycopg.Connection, ours: psycopg.Connection) -> None:
    [row] = [line for line in seed.document().split("\n") if "Predictions " in line and "→ PostgreSQL" in line]
    assert row.endswith("90 days")
    maintain = seed.statement("CREATE OR REPLACE FUNCTION maintain_ml_tables()")
    calls = [line.strip() for line in maintain.split("\n") if "PERFORM drop_old_partitions" in line]
    with document.transaction(force_rollback=True):
        document.execute("CREATE TABLE dropped (name text, age interval)")
        document.execute(OLD_PARTITIONS)
        for call in calls:
            document.execute(call.replace("PERFORM", "SELECT").encode())
        terms = dict(document.execute("SELECT name, age::text FROM dropped").fetchall())
    assert terms == {"ml_predictions": "1 year", "ml_feature_store": "2 years"}  # the table: 90 days, 10+ years
    view = seed.statement("CREATE MATERIALIZED VIEW mv_model_performance AS")
    assert "prediction_timestamp >= CURRENT_DATE - INTERVAL '90 days'" in view

    for table, kept in (("ml_predictions", "kept 90 days"), ("ml_feature_store", "kept 10 years")):
        assert kept in str(scalar(ours, f"SELECT obj_description('{table}'::regclass)"))
