"""Numbers are kept, and checked, as they were sent; what stands on their columns is as it was before."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
import pytest

from tests.vfr.factories.postgres import VALID, insert, insert_base, insert_ml_base

from . import migrations
from .rows import scalar
from .servers import Server

BEFORE, BETWEEN, AFTER = "0046", "0048", "0060"
# Ranges of columns that had digits to round to: (table, column, a value just outside, one just inside with more digits)
RANGES = [
    ("ml_predictions", "confidence_score", "1.00004", "0.99996"),
    ("ml_predictions", "probability_up", "-0.00004", "0.00004"),
    ("ml_predictions", "current_price", "-0.00004", "0.00004"),
    ("ml_predictions", "std_error", "-0.000000004", "0.000000004"),
    ("ml_feature_store", "confidence_score", "1.00004", "0.99996"),
    ("ml_enhancement_store", "enhancement_weight", "1.00004", "0.99996"),
    ("ml_backtesting_results", "prediction_confidence", "1.00004", "0.99996"),
    ("ml_backtesting_results", "portfolio_weight", "1.0000004", "-0.9999996"),
    ("ml_backtesting_results", "leverage_ratio", "10.00004", "9.99996"),
    ("ml_backtesting_metrics", "win_rate", "1.00004", "0.99996"),
    ("ml_backtesting_experiments", "progress_percentage", "100.004", "99.996"),
    ("ml_ab_experiments", "confidence_level", "0.79996", "0.99996"),
    ("ml_datasets", "missing_data_percentage", "100.004", "99.996"),
    ("ml_model_deployments", "traffic_percentage", "100.004", "99.996"),
    ("probabilistic_models", "accuracy", "1.00004", "0.99996"),
    ("probabilistic_models", "brier_score", "1.000004", "0.999996"),
    ("model_training_history", "final_accuracy", "1.00004", "0.99996"),
    ("trading_decisions", "aggregated_confidence", "1.00004", "0.99996"),
    ("trading_decisions", "position_size", "-0.000000004", "0.000000004"),
    ("user_probability_preferences", "learning_rate", "1.000000004", "0.999999996"),
    ("user_probability_preferences", "risk_tolerance", "1.00004", "0.99996"),
]
# What the types could not hold: (table, column, value)
LARGE = [
    ("ml_predictions", "predicted_value", "12000000.5"),
    ("ml_predictions", "std_error", "12000000"),
    ("ml_predictions", "current_price", "123456789.12345"),
    ("ml_backtesting_results", "sector_return", "123.5"),
    ("ml_backtesting_metrics", "total_return", "12000"),
    ("ml_backtesting_metrics", "best_month", "123.5"),
    ("ml_model_metrics", "metric_value", "0.1234567891"),
]


@pytest.fixture
def based(connection: psycopg.Connection) -> psycopg.Connection:
    insert_base(connection)
    insert_ml_base(connection)
    return connection


@pytest.mark.parametrize(("table", "column", "outside", "inside"), RANGES)
def test_value_just_outside_its_range_is_refused_and_one_inside_kept(
    based: psycopg.Connection, table: str, column: str, outside: str, inside: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), based.transaction():
        insert(based, table, **{column: outside})
    based.execute(f"DELETE FROM {table} WHERE {column} IS NOT NULL" if table.startswith("user") else "SELECT 1")
    insert(based, table, **{column: inside})
    assert scalar(based, f"SELECT count(*) FROM {table} WHERE {column} = {inside}") == 1


@pytest.mark.parametrize(("table", "column", "value"), LARGE)
def test_number_of_any_size_is_kept_to_its_last_digit(
    based: psycopg.Connection, table: str, column: str, value: str
) -> None:
    insert(based, table, **{column: value})
    assert scalar(based, f"SELECT count(*) FROM {table} WHERE {column} = {value}") == 1


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e30", "-1e30"])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("ml_predictions", "predicted_value"),
        ("ml_models", "cross_validation_scores"),
        ("trading_decisions", "position_size"),
    ],
)
def test_what_is_no_number_of_this_world_is_refused(
    based: psycopg.Connection, table: str, column: str, value: str
) -> None:
    with pytest.raises(psycopg.errors.CheckViolation), based.transaction():
        insert(based, table, **{column: f"{{{value}}}" if column.endswith("scores") else value})


def test_no_checked_column_has_digits_to_round_to(connection: psycopg.Connection) -> None:
    query = """SELECT relname, attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
               WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition
                 AND atttypid IN ('numeric'::regtype, 'numeric[]'::regtype) AND atttypmod <> -1"""
    # 20 digits before the point, 8 after; the second is computed from the first.
    assert connection.execute(query).fetchall() == [("ml_feature_store", "value"), ("mv_daily_features", "value")]


STANDING = """
    SELECT relname, relkind::text, coalesce(reloptions::text, ''), relpages >= 0, relispopulated,
        relowner::regrole::text, (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(relacl) a)::text,
        (SELECT array_agg(attname || coalesce(attacl::text, '') ORDER BY attnum) FROM pg_attribute
            WHERE attrelid = c.oid AND attnum > 0)::text,
        (SELECT array_agg(objsubid || description ORDER BY objsubid) FROM pg_description WHERE objoid = c.oid)::text,
        CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(oid) WHEN relkind = 'i' THEN pg_get_indexdef(oid) END
    FROM pg_class c WHERE relnamespace = 'public'::regnamespace AND (relkind IN ('v', 'm') OR relname ~ '^idx_mv_')
    UNION ALL
    SELECT proname, prokind::text, '', true, true, proowner::regrole::text,
        (SELECT array_agg(a::text ORDER BY a::text) FROM unnest(proacl) a)::text, '',
        obj_description(oid, 'pg_proc'), pg_get_functiondef(oid)
    FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        AND proname NOT IN ('take_down', 'put_back', 'prove_checks', 'unprove_checks')
    ORDER BY 1, 2
"""
POLICIES = "SELECT polrelid::regclass::text, polname, pg_get_expr(polqual, polrelid) FROM pg_policy ORDER BY 1, 2"
MADE = [
    "CREATE ROLE {reader} NOLOGIN",
    "CREATE VIEW own WITH (security_barrier=true) AS SELECT ticker, predicted_value FROM ml_predictions",
    "COMMENT ON COLUMN own.ticker IS 'it''s “ours”'",
    'CREATE VIEW "on Own" AS SELECT * FROM own',
    "GRANT SELECT ON own TO {reader} WITH GRANT OPTION",
    'REVOKE ALL ON "on Own" FROM vfr_app, vfr_report',
    'GRANT SELECT (ticker) ON "on Own" TO {reader}',
    "CREATE MATERIALIZED VIEW empty AS SELECT max(confidence_score) AS best FROM ml_predictions WITH NO DATA",
    "COMMENT ON INDEX idx_mv_daily_features_date IS 'of days'",
    "CREATE FUNCTION dearest() RETURNS numeric BEGIN ATOMIC SELECT max(current_price) FROM ml_predictions; END",
    "REVOKE ALL ON FUNCTION dearest() FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION dearest() TO {reader}",
    "REFRESH MATERIALIZED VIEW mv_model_performance",
]


def _standing(url: str) -> Sequence[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        found = [*connection.execute(STANDING), *connection.execute(POLICIES)]
    assert len(found) > 20
    return found


def test_what_stands_on_the_columns_is_as_it_was_up_and_down(server: Server, database: str) -> None:
    url = server.url(database)
    migrations.upgrade(url, BEFORE)
    reader = f"reader_{database}"
    with psycopg.connect(url, autocommit=True) as owner:
        insert_base(owner)
        insert_ml_base(owner)
        insert(owner, "ml_predictions", confidence_score="1.00004")  # rounds into its range
        for statement in MADE:
            owner.execute(statement.format(reader=reader).encode())
        old = scalar(owner, "SELECT p::text FROM ml_predictions p")
    before = _standing(url)

    migrations.upgrade(url, AFTER)

    assert _standing(url) == before
    with psycopg.connect(url, autocommit=True) as owner:
        assert scalar(owner, "SELECT p::text FROM ml_predictions p") == old
        assert scalar(owner, "SELECT count(*) FROM mv_model_performance") == 1
        owner.execute("UPDATE ml_predictions SET predicted_value = 12000000.123456789")
    with pytest.raises(Exception, match=r"predicted_value of ml_predictions|numeric field overflow"):
        migrations.downgrade(url, BETWEEN)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("UPDATE ml_predictions SET predicted_value = 12.5")
    migrations.downgrade(url, BEFORE)
    assert _standing(url) == before
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute(f"DROP OWNED BY {reader}".encode())
        owner.execute(f"DROP ROLE {reader}".encode())


READ = """SELECT relname, seq_tup_read, idx_tup_fetch FROM pg_stat_user_tables
          WHERE seq_tup_read + idx_tup_fetch > 0 AND relname <> 'alembic_version'"""
UNPROVED = "SELECT conname FROM pg_constraint WHERE contype = 'c' AND NOT convalidated ORDER BY 1"


def test_types_change_without_a_row_read_while_writers_wait(server: Server, database: str) -> None:
    url = server.url(database)
    migrations.upgrade(url, BETWEEN)
    with psycopg.connect(url, autocommit=True) as owner:
        insert_base(owner)
        insert_ml_base(owner)
        for table in VALID:
            insert(owner, table)
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("SELECT pg_stat_reset()")

    migrations.upgrade(url, "0054")

    with psycopg.connect(url, autocommit=True) as owner:
        assert owner.execute(READ).fetchall() == []
        assert len(owner.execute(UNPROVED).fetchall()) > 40
    migrations.upgrade(url)
    with psycopg.connect(url, autocommit=True) as owner:
        assert {table for table, *_ in owner.execute(READ)} >= {"trading_decisions", "ml_models"}
        assert owner.execute(UNPROVED).fetchall() == []
        invalid = "SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"
        assert owner.execute(invalid).fetchall() == []
