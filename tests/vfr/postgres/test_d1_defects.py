"""D1: the document's own statements, run for real, fail as reported; what stands for them here is shown elsewhere.

The numbers are those of the defect list. Each statement is that of the document but for columns without a part in it.
"""

import psycopg
import pytest

from . import migrations
from .documents import answer, refusal
from .rows import scalar

CHECKS = """
    CREATE TABLE p (
        probability_up decimal(5,4), probability_down decimal(5,4), predicted_value decimal(15,8),
        upper_bound decimal(15,8), lower_bound decimal(15,8), validation_score decimal(10,6), test_score decimal(10,6),
        quantity decimal(15,8) CHECK (quantity > 0), leverage_ratio decimal(5,4), kurtosis decimal(6,4),
        cost_as_percentage_of_returns decimal(6,4), squared_error decimal(15,8),
        confidence_level decimal(3,2) CHECK (confidence_level BETWEEN 0.80 AND 0.99),
        CONSTRAINT chk_prediction_bounds CHECK (
            (upper_bound IS NULL AND lower_bound IS NULL) OR
            (upper_bound > predicted_value AND lower_bound < predicted_value)
        ),
        CONSTRAINT chk_probabilities CHECK (
            (probability_up IS NULL AND probability_down IS NULL) OR
            (probability_up + probability_down <= 1.01 AND probability_up >= 0 AND probability_down >= 0)
        ),
        CONSTRAINT chk_scores_valid CHECK (
            validation_score >= 0 AND test_score >= 0 AND validation_score <= 1 AND test_score <= 1
        )
    )
"""
STORE = """
    CREATE TABLE s (
        ticker varchar(20), timestamp timestamptz, feature_id integer, value decimal(20,8),
        validation_status varchar(20) DEFAULT 'pending', PRIMARY KEY (ticker, feature_id, timestamp)
    )
"""
PARTITIONED = "CREATE TABLE pt (id integer, t timestamptz) PARTITION BY RANGE (t)"
ERRORS = "CREATE TABLE e (predicted_value decimal, current_price decimal, actual_value decimal)"

# (number, what exists before, the statement, SQLSTATE)
FAILING = [
    ("1 plain", [], "CREATE TABLE t (feature_id uuid, INDEX idx_feature_deps (feature_id))", "42704"),
    ("1 desc", [], "CREATE TABLE t (x timestamptz, INDEX idx_model_created (x DESC))", "42601"),
    ("1 using", [], "CREATE TABLE t (x text[], INDEX idx_source_apis_gin (x) USING GIN)", "42601"),
    ("2 days", [STORE], "CREATE INDEX i ON s (ticker) WHERE timestamp >= NOW() - INTERVAL '30 days'", "42P17"),
    (
        "3",
        [ERRORS, "CREATE INDEX idx_experiment_status ON e (actual_value)"],
        "CREATE INDEX idx_experiment_status ON e (current_price)",
        "42P07",
    ),
    ("4 datasets", [], "CREATE TABLE m (feature_set_id uuid REFERENCES ml_datasets(dataset_id))", "42P01"),
    ("4 helper", [], "SELECT create_monthly_partitions('ml_enhancement_store', 'timestamp', 60)", "42883"),
    ("6", [STORE], "CREATE TABLE x PARTITION OF s FOR VALUES FROM ('2024-12-01') TO ('2025-01-01')", "42P17"),
    ("7", [], "CREATE TABLE x (id uuid PRIMARY KEY, t timestamptz NOT NULL) PARTITION BY RANGE (t)", "0A000"),
    (
        "7 reference",
        ["CREATE TABLE x (id uuid, t timestamptz, PRIMARY KEY (id, t)) PARTITION BY RANGE (t)"],
        "CREATE TABLE y (id uuid REFERENCES x (id))",
        "42830",
    ),
    ("10", [], "SELECT drop_old_partitions('ml_feature_store', INTERVAL '2 years')", "42883"),
    ("12", [], "SELECT cron.schedule('ml-maintenance', '0 2 * * 0', 'SELECT maintain_ml_tables();')", "3F000"),
    ("13", [], "CREATE VIEW vw_slow_queries AS SELECT query, total_time FROM pg_stat_statements", "42P01"),
    (
        "14",
        [],
        "CREATE VIEW v AS SELECT tablename FROM pg_stat_user_indexes",
        "42703",
    ),
    (
        "16",
        [ERRORS],
        "CREATE INDEX i ON e ((predicted_value - current_price) / current_price) WHERE actual_value IS NOT NULL",
        "42601",
    ),
    (
        "16 zero",
        [
            ERRORS,
            "CREATE INDEX i ON e (((predicted_value - current_price) / current_price)) WHERE actual_value IS NOT NULL",
            "INSERT INTO e VALUES (1, 0, NULL)",
        ],
        "UPDATE e SET actual_value = 1",
        "22012",
    ),
    ("17 squared error", [CHECKS], "INSERT INTO p (squared_error) VALUES (power(704000 - 700000, 2))", "22003"),
    ("17 leverage", [CHECKS], "INSERT INTO p (leverage_ratio) VALUES (10)", "22003"),
    ("17 kurtosis", [CHECKS], "INSERT INTO p (kurtosis) VALUES (150)", "22003"),
    ("17 costs", [CHECKS], "INSERT INTO p (cost_as_percentage_of_returns) VALUES (100)", "22003"),
    (
        "18 bounds",
        [CHECKS],
        "INSERT INTO p (predicted_value, lower_bound, upper_bound) VALUES (1, 1, 2)",
        "23514",
    ),
    ("18 r squared", [CHECKS], "INSERT INTO p (validation_score) VALUES (-0.3)", "23514"),
    ("18 rmse", [CHECKS], "INSERT INTO p (validation_score) VALUES (12.5)", "23514"),
    ("18 hold", [CHECKS], "INSERT INTO p (quantity) VALUES (0)", "23514"),
    ("18 level", [CHECKS], "INSERT INTO p (confidence_level) VALUES (0.995)", "23514"),
    (
        "22 ambiguous",
        [STORE, "CREATE TABLE f (feature_id integer)"],
        "SELECT feature_id FROM s JOIN f ON f.feature_id = s.feature_id",
        "42702",
    ),
    (
        "23 duplicate",
        [STORE],
        "INSERT INTO s VALUES ('A', '2026-01-01', 1, 1), ('A', '2026-01-01', 1, 2)",
        "23505",
    ),
    ("23 undefined", [STORE], "INSERT INTO s VALUES ('A', '2026-01-01', 1, 'undefined')", "22P02"),
    ("25", [], "ALTER SYSTEM SET work_mem = '256MB'", "25001"),
]

# (number, what exists before, a question that shows what the document lets happen, the wrong answer)
ACCEPTED = [
    (
        "18 probability",
        [CHECKS, "INSERT INTO p (probability_up) VALUES (7.5)"],
        "SELECT count(*) FROM p",
        1,
    ),
    (
        "18 level",
        [CHECKS, "INSERT INTO p (confidence_level) VALUES (0.994)"],
        "SELECT confidence_level = 0.99 FROM p",
        True,
    ),
    (
        "22 later value",
        [
            STORE,
            "INSERT INTO s VALUES ('A', '2026-01-01 10:00', 1, 10), ('A', '2026-01-01 16:00', 1, 99)",
        ],
        "SELECT value::integer FROM s WHERE DATE(timestamp) = '2026-01-01 12:00'::date ORDER BY timestamp DESC LIMIT 1",
        99,
    ),
    (
        "22 day of the session",
        [
            STORE,
            "INSERT INTO s VALUES ('A', '2026-11-21 20:00Z', 1, 10)",
            "SET LOCAL timezone = 'Asia/Tokyo'",
        ],
        "SELECT DATE(timestamp)::text FROM s",
        "2026-11-22",
    ),
    (
        "23 pending",
        [STORE, "INSERT INTO s (ticker, timestamp, feature_id, value) VALUES ('A', now(), 1, 1)"],
        "SELECT count(*) FROM s WHERE validation_status = 'valid'",
        0,
    ),
    ("23 nan", [STORE, "INSERT INTO s VALUES ('A', now(), 1, 'NaN')"], "SELECT count(*) FROM s", 1),
]

HELPER = """
    CREATE FUNCTION create_monthly_partitions(table_name text, column_name text, months_ahead integer)
    RETURNS void AS $$
    DECLARE start_date date; end_date date; partition_name text; i integer;
    BEGIN
        start_date := date_trunc('month', CURRENT_DATE - INTERVAL '12 months');
        FOR i IN -12..months_ahead LOOP
            end_date := start_date + INTERVAL '1 month';
            partition_name := table_name || '_y' || EXTRACT(YEAR FROM start_date) || 'm' ||
                              LPAD(EXTRACT(MONTH FROM start_date)::text, 2, '0');
            EXECUTE format('CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                           partition_name, table_name, start_date, end_date);
            EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON %I (%s DESC)',
                           'idx_' || partition_name || '_timestamp', partition_name, column_name);
            start_date := end_date;
        END LOOP;
    END $$ LANGUAGE plpgsql
"""


@pytest.mark.parametrize(("number", "before", "statement", "state"), FAILING, ids=[case[0] for case in FAILING])
def test_statement_of_the_document_fails(
    document: psycopg.Connection, number: str, before: list[str], statement: str, state: str
) -> None:
    assert refusal(document, before, statement) == state, number


@pytest.mark.parametrize(("number", "before", "question", "wrong"), ACCEPTED, ids=[case[0] for case in ACCEPTED])
def test_statement_of_the_document_answers_wrongly(
    document: psycopg.Connection, number: str, before: list[str], question: str, wrong: object
) -> None:
    assert answer(document, before, question) == wrong, number


def test_9_bounds_of_the_document_depend_on_the_session(document: psycopg.Connection) -> None:
    with document.transaction(force_rollback=True):
        document.execute(PARTITIONED)
        document.execute(HELPER)
        document.execute("SET LOCAL timezone = 'America/New_York'")
        document.execute("SELECT create_monthly_partitions('pt', 't', 0)")
        document.execute("SET LOCAL timezone = 'UTC'")
        with pytest.raises(psycopg.errors.InvalidObjectDefinition, match="would overlap"):
            document.execute("SELECT create_monthly_partitions('pt', 't', 1)")


def newest(connection: psycopg.Connection) -> object:
    return scalar(connection, "SELECT max(inhrelid::regclass::text) FROM pg_inherits WHERE inhparent = 'pt'::regclass")


@pytest.mark.parametrize("moment", ["2020-01-01", "2099-01-01"])
def test_9_rows_outside_the_windows_of_the_document_have_no_partition(
    document: psycopg.Connection, moment: str
) -> None:
    with document.transaction(force_rollback=True):
        document.execute(PARTITIONED)
        document.execute(HELPER)
        document.execute("SELECT create_monthly_partitions('pt', 't', 12)")
        with pytest.raises(psycopg.errors.CheckViolation, match="no partition of relation"):
            document.execute("INSERT INTO pt VALUES (1, %s)", [moment])


def test_9_each_partition_of_the_document_has_the_same_index_twice(document: psycopg.Connection) -> None:
    with document.transaction(force_rollback=True):
        document.execute(PARTITIONED)
        document.execute("CREATE INDEX idx_predictions_recent ON pt (t DESC)")
        document.execute(HELPER)
        document.execute("SELECT create_monthly_partitions('pt', 't', 0)")
        query = "SELECT count(*) FROM pg_indexes WHERE tablename = %s AND indexdef LIKE '%%(t DESC)'"
        assert scalar(document, query, newest(document)) == 2


def test_9_helper_of_the_document_knows_no_schema(document: psycopg.Connection) -> None:
    with document.transaction(force_rollback=True):
        document.execute("CREATE SCHEMA ml")
        document.execute("CREATE TABLE ml.q (t timestamptz) PARTITION BY RANGE (t)")
        document.execute(HELPER)
        with pytest.raises(psycopg.errors.UndefinedTable):
            document.execute("SELECT create_monthly_partitions('ml.q', 't', 0)")


@pytest.mark.parametrize(
    ("line", "state"),
    [("A,2026-01-01,1,2,Polygon, Inc", "22P04"), ("A,2026-01-01,1,undefined,FMP", "22P02")],
)
def test_23_one_line_of_the_document_spoils_the_batch(document: psycopg.Connection, line: str, state: str) -> None:
    with document.transaction(force_rollback=True):
        document.execute(STORE)
        with (
            pytest.raises(psycopg.Error) as caught,
            document.cursor().copy("COPY s FROM STDIN WITH (FORMAT csv)") as copy,
        ):
            copy.write("A,2026-01-01,2,1,valid\n" + line)
        assert caught.value.sqlstate == state


def test_9_default_partition_with_rows_of_a_month_forbids_that_month(document: psycopg.Connection) -> None:
    with document.transaction(force_rollback=True):
        document.execute(PARTITIONED)
        document.execute("CREATE TABLE pt_default PARTITION OF pt DEFAULT")
        document.execute("INSERT INTO pt VALUES (1, now())")
        document.execute(HELPER)
        with pytest.raises(psycopg.errors.CheckViolation, match="default partition"):
            document.execute("SELECT create_monthly_partitions('pt', 't', 0)")


def test_26_index_of_a_partitioned_table_cannot_be_made_concurrently(document: psycopg.Connection) -> None:
    document.execute(PARTITIONED)
    try:
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            document.execute("CREATE INDEX CONCURRENTLY i ON pt (t)")
    finally:
        document.execute("DROP TABLE pt")


def test_2_indexes_of_ours_ask_no_clock(connection: psycopg.Connection) -> None:
    query = "SELECT indexname FROM pg_indexes WHERE schemaname = 'public' AND indexdef ~* 'now\\(|current_(date|time)'"
    assert connection.execute(query).fetchall() == []


def test_25_revisions_change_no_server_setting() -> None:
    assert [file.name for file in migrations.VERSIONS.glob("*.py") if "ALTER SYSTEM" in file.read_text()] == []


def test_27_retention_is_told_by_each_partitioned_table(connection: psycopg.Connection) -> None:
    query = "SELECT obj_description(oid, 'pg_class') FROM pg_class WHERE relkind = 'p' ORDER BY relname"
    comments = [comment for (comment,) in connection.execute(query)]
    for comment, kept in zip(comments, ["kept 60 months", "kept 10 years", "kept 90 days"], strict=True):
        assert kept in comment
