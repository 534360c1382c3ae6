"""D2: the document's own statements, run for real, fail or answer as reported; what stands for them is shown elsewhere.

The numbers are those of the defect list. Each statement is that of the document but for columns without a part in it.
"""

from itertools import count

import psycopg
import pytest

from .documents import answer, refusal

MODELS = """
    CREATE TABLE probabilistic_models (
        id integer PRIMARY KEY, model_name varchar(100) NOT NULL, model_type varchar(50), version varchar(20) NOT NULL,
        accuracy decimal(5,4), calibration_score decimal(5,4), status varchar(20) DEFAULT 'active',
        last_updated timestamptz DEFAULT now(), tenant_id uuid, UNIQUE (model_name, version, tenant_id)
    )
"""
USERS = "CREATE TABLE users (id integer PRIMARY KEY)"
PREFERENCES = """
    CREATE TABLE user_probability_preferences (
        user_id integer PRIMARY KEY, risk_tolerance decimal(3,2) DEFAULT 0.5, learning_rate decimal(4,3) DEFAULT 0.001
    )
"""
HISTORY = """
    CREATE TABLE model_training_history (
        model_id integer REFERENCES probabilistic_models (id) ON DELETE CASCADE, started_at timestamptz,
        completed_at timestamptz, duration_seconds integer, improvement_percentage decimal(5,2)
    )
"""
TEMPLATES = "CREATE TABLE probability_config_templates (created_by integer REFERENCES users (id))"
STAMP = """
    CREATE FUNCTION update_probability_timestamp() RETURNS trigger AS $$
    BEGIN
        NEW.updated_at = NOW();
        RETURN NEW;
    END $$ LANGUAGE plpgsql
"""
DECISIONS = """
    CREATE TABLE trading_decisions_probabilistic (
        id integer PRIMARY KEY, timestamp timestamptz, aggregated_confidence float8, indicator_probabilities jsonb,
        ensemble_probability float8
    )
"""
VALIDATE = """
    CREATE FUNCTION validate_probability_data()
    RETURNS TABLE (validation_issue text, affected_records bigint, severity varchar(10)) AS $$
    BEGIN
        RETURN QUERY SELECT 'Invalid confidence scores (outside 0-1 range)' AS validation_issue,
            COUNT(*) AS affected_records, 'HIGH' AS severity
        FROM trading_decisions_probabilistic WHERE aggregated_confidence < 0 OR aggregated_confidence > 1;
    END $$ LANGUAGE plpgsql
"""
MODEL = "INSERT INTO probabilistic_models (id, model_name, version, accuracy) VALUES (1, 'xgboost', '1', 0.9)"
BEST = "CREATE INDEX {} ON probabilistic_models (accuracy DESC, calibration_score DESC) WHERE status = 'active'"

# (number, what exists before, the statement, SQLSTATE)
FAILING = [
    ("28 users", [], PREFERENCES.replace("PRIMARY KEY", "PRIMARY KEY REFERENCES users(id) ON DELETE CASCADE"), "42P01"),
    (
        "28 decisions",
        [],
        "ALTER TABLE trading_decisions ADD COLUMN IF NOT EXISTS uncertainty_score decimal(4,3)",
        "42P01",
    ),
    ("30 ten", [PREFERENCES], "INSERT INTO user_probability_preferences VALUES (1, 10)", "22003"),
    (
        "31 improvement",
        [MODELS, HISTORY],
        "INSERT INTO model_training_history (improvement_percentage) VALUES (1000)",
        "22003",
    ),
    (
        "33 creator",
        [USERS, TEMPLATES, "INSERT INTO users VALUES (1)", "INSERT INTO probability_config_templates VALUES (1)"],
        "DELETE FROM users",
        "23503",
    ),
    (
        "34",
        [
            MODELS,
            STAMP,
            "CREATE TRIGGER t BEFORE UPDATE ON probabilistic_models FOR EACH ROW"
            " EXECUTE FUNCTION update_probability_timestamp()",
            MODEL,
        ],
        "UPDATE probabilistic_models SET accuracy = 0.8",
        "42703",
    ),
    (
        "35 empty array",
        [DECISIONS],
        "SELECT 1 FROM trading_decisions_probabilistic WHERE indicator_probabilities = []",
        "42601",
    ),
    ("35 severity", [DECISIONS, VALIDATE], "SELECT * FROM validate_probability_data()", "42804"),
    (
        "36",
        [DECISIONS],
        "CREATE TABLE template (LIKE trading_decisions_probabilistic INCLUDING ALL) PARTITION BY RANGE (timestamp)",
        "0A000",
    ),
    (
        "37",
        [],
        "SELECT partman.create_parent(p_parent_table => 'public.trading_decisions_probabilistic_template',"
        " p_control => 'timestamp', p_type => 'range', p_interval => 'monthly')",
        "3F000",
    ),
    (
        "39",
        [],
        "CREATE INDEX i ON trading_decisions_probabilistic (aggregated_confidence DESC, timestamp DESC)",
        "42P01",
    ),
]

# (number, what exists before, a question that shows what the document lets happen, the wrong answer)
ACCEPTED = [
    ("29", [MODELS, MODEL, MODEL.replace("VALUES (1", "VALUES (2")], "SELECT count(*) FROM probabilistic_models", 2),
    (
        "30 rounded",
        [PREFERENCES, "INSERT INTO user_probability_preferences VALUES (1, 0.995, 0.0001)"],
        "SELECT risk_tolerance::text || ' ' || learning_rate::text FROM user_probability_preferences",
        "1.00 0.000",
    ),
    (
        "30 out of range",
        [PREFERENCES, "INSERT INTO user_probability_preferences VALUES (1, 9.99)"],
        "SELECT count(*) FROM user_probability_preferences WHERE risk_tolerance > 1",
        1,
    ),
    (
        "31 words",
        [MODELS, "INSERT INTO probabilistic_models VALUES (1, 'm', 'banana', '1', -9.5, NULL, 'nope')"],
        "SELECT count(*) FROM probabilistic_models WHERE model_type = 'banana'",
        1,
    ),
    (
        "31 ended before it began",
        [MODELS, HISTORY, "INSERT INTO model_training_history VALUES (NULL, '2026-01-02', '2026-01-01', -5)"],
        "SELECT count(*) FROM model_training_history WHERE completed_at < started_at AND model_id IS NULL",
        1,
    ),
    (
        "32 twice",
        [MODELS, BEST.format("idx_probabilistic_models_performance"), BEST.format("idx_active_models_performance")],
        "SELECT count(*) FROM pg_indexes WHERE indexdef LIKE '%%ON public.probabilistic_models %%(accuracy DESC,%%'",
        2,
    ),
    (
        "32 best is unmeasured",
        [MODELS, MODEL, "INSERT INTO probabilistic_models (id, model_name, version) VALUES (2, 'm', '1')"],
        "SELECT id FROM probabilistic_models WHERE status = 'active' ORDER BY accuracy DESC LIMIT 1",
        2,
    ),
    (
        "33 history",
        [MODELS, HISTORY, MODEL, "INSERT INTO model_training_history VALUES (1)", "DELETE FROM probabilistic_models"],
        "SELECT count(*) FROM model_training_history",
        0,
    ),
    (
        "35 null",
        [DECISIONS, "INSERT INTO trading_decisions_probabilistic (id, aggregated_confidence) VALUES (1, NULL), (2, 2)"],
        "SELECT count(*) FROM trading_decisions_probabilistic"
        " WHERE aggregated_confidence < 0 OR aggregated_confidence > 1",
        1,
    ),
    (
        "36 rows stay behind",
        [
            DECISIONS,
            "INSERT INTO trading_decisions_probabilistic VALUES (1, now())",
            "CREATE TABLE template (LIKE trading_decisions_probabilistic INCLUDING ALL EXCLUDING INDEXES)"
            " PARTITION BY RANGE (timestamp)",
        ],
        "SELECT count(*) FROM template",
        0,
    ),
    (
        "40 without tenant",
        [PREFERENCES],
        "SELECT count(*) FROM pg_attribute"
        " WHERE attrelid = 'user_probability_preferences'::regclass AND attname = 'tenant_id'",
        0,
    ),
]
NUMBERS = count(1)


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
