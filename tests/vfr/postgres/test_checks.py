"""Values that a check must refuse, by name, and values that it must let in."""

from decimal import Decimal

import psycopg
import pytest

from .rows import insert, insert_base, refused, scalar

PREFERENCES = (
    "risk_tolerance",
    "confidence_threshold",
    "uncertainty_tolerance",
    "learning_rate",
    "adaptation_sensitivity",
    "memory_decay_factor",
    "confidence_alert_threshold",
    "uncertainty_warning_threshold",
)
# Measured figures may be missing, preferences may not.
MEASURED = {
    "trading_decisions": ("aggregated_confidence", "uncertainty_score"),
    "probabilistic_models": ("accuracy", "calibration_score", "brier_score"),
    "model_training_history": (
        "final_accuracy",
        "final_calibration_score",
        "final_brier_score",
        "previous_model_accuracy",
    ),
}
UNIT_RANGE = [(table, column) for table, columns in MEASURED.items() for column in columns]
UNIT_RANGE += [("user_probability_preferences", column) for column in PREFERENCES]

VOCABULARIES = {
    ("trading_decisions", "decision"): ("BUY", "SELL", "HOLD"),
    ("probabilistic_models", "model_type"): ("indicator", "ensemble", "meta", "adaptive"),
    ("probabilistic_models", "uncertainty_method"): ("bayesian", "ensemble", "dropout", "quantile"),
    ("probabilistic_models", "status"): ("active", "deprecated", "experimental", "training"),
    ("probabilistic_models", "deployment_environment"): ("development", "staging", "production"),
    ("user_probability_preferences", "ensemble_method"): ("simple_average", "weighted_average", "voting"),
    ("user_probability_preferences", "feedback_frequency"): ("real-time", "hourly", "daily", "weekly"),
    ("model_training_history", "status"): ("running", "completed", "failed", "cancelled"),
    ("probability_config_templates", "category"): ("conservative", "balanced", "aggressive", "custom"),
}
REFUSED = [
    ("tenants", "slug", "Acme"),
    ("tenants", "slug", ""),
    ("tenants", "slug", "-acme"),
    ("tenants", "slug", "a" * 64),
    ("tenants", "slug", "acme\n"),
    ("users", "email", "nobody"),
    ("trading_decisions", "symbol", ""),
    ("trading_decisions", "symbol", "aapl"),
    ("trading_decisions", "symbol", "AAPL "),
    ("trading_decisions", "decided_at", "2099-01-01T00:00:00Z"),
    ("user_probability_preferences", "preferred_indicators", "{}"),
    ("user_probability_preferences", "preferred_indicators", '{""}'),
    ("trading_decisions", "position_size", Decimal("-1")),
    ("trading_decisions", "position_size", Decimal("NaN")),
    ("trading_decisions", "probability_metadata", [1]),
    ("probabilistic_models", "sharpe_ratio", Decimal("NaN")),
    ("user_probability_preferences", "indicator_weights", {"rsi": 1.1}),
    ("user_probability_preferences", "indicator_weights", {"rsi": -0.1}),
    ("user_probability_preferences", "indicator_weights", {"rsi": "much"}),
    ("user_probability_preferences", "indicator_weights", {"rsi": None}),
    ("user_probability_preferences", "indicator_weights", {"rsi": [0.5]}),
    ("user_probability_preferences", "indicator_weights", [0.5]),
    ("model_training_history", "completed_at", "2025-12-31T23:59:59Z"),
    ("model_training_history", "duration_seconds", -5),
    ("model_training_history", "training_data_size", -1),
    ("model_training_history", "validation_data_size", -1),
    ("model_training_history", "test_data_size", -1),
    ("model_training_history", "data_time_range", "empty"),
    ("model_training_history", "improvement_percentage", Decimal("-100.01")),
    ("model_training_history", "improvement_percentage", Decimal("NaN")),
    ("probability_config_templates", "config", []),
    ("probability_config_templates", "usage_count", -1),
]
ACCEPTED = [
    ("tenants", "slug", "tenant_123"),
    ("tenants", "slug", "a" * 63),
    ("trading_decisions", "position_size", Decimal("0")),
    ("probabilistic_models", "sharpe_ratio", Decimal("-250.5000")),
    ("user_probability_preferences", "risk_tolerance", Decimal("0.9950")),
    ("user_probability_preferences", "learning_rate", Decimal("0.00010000")),
    ("user_probability_preferences", "indicator_weights", {"rsi": 0.3, "macd": 1}),
    ("user_probability_preferences", "indicator_weights", {}),
    ("user_probability_preferences", "indicator_weights", None),
    ("model_training_history", "training_data_size", 3_000_000_000),
    ("model_training_history", "improvement_percentage", Decimal("999900.00")),
]


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_base(connection)


@pytest.mark.parametrize("value", ["-0.0001", "1.0001", "NaN"])
@pytest.mark.parametrize(("table", "column"), UNIT_RANGE)
def test_unit_range_is_enforced(connection: psycopg.Connection, table: str, column: str, value: str) -> None:
    with refused(connection, f"chk_{column}"):
        insert(connection, table, **{column: Decimal(value)})


@pytest.mark.parametrize("value", ["0", "0.9999", "1"])
@pytest.mark.parametrize(("table", "column"), UNIT_RANGE)
def test_unit_range_keeps_every_digit(connection: psycopg.Connection, table: str, column: str, value: str) -> None:
    connection.execute(f"DELETE FROM {table}")
    insert(connection, table, **{column: Decimal(value)})
    assert scalar(connection, f"SELECT {column} FROM {table}") == Decimal(value)


@pytest.mark.parametrize(("table", "column"), VOCABULARIES)
def test_vocabulary_is_closed(connection: psycopg.Connection, table: str, column: str) -> None:
    with refused(connection, f"chk_{column}"):
        insert(connection, table, **{column: "nope"})
    for word in VOCABULARIES[table, column]:
        connection.execute(f"DELETE FROM {table}")
        insert(connection, table, **{column: word})


@pytest.mark.parametrize(("table", "column", "value"), REFUSED)
def test_value_is_refused(connection: psycopg.Connection, table: str, column: str, value: object) -> None:
    with refused(connection, f"chk_{column}"):
        insert(connection, table, **{column: value})


@pytest.mark.parametrize("value", ["", " "])
@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("tenants", "name"),
        ("probabilistic_models", "model_name"),
        ("probabilistic_models", "version"),
        ("probability_config_templates", "name"),
    ],
)
def test_name_is_not_empty(connection: psycopg.Connection, table: str, column: str, value: str) -> None:
    with refused(connection, "chk_not_empty"):
        insert(connection, table, **{column: value})


@pytest.mark.parametrize(("table", "column", "value"), ACCEPTED)
def test_value_is_kept(connection: psycopg.Connection, table: str, column: str, value: object) -> None:
    insert(connection, table, **{column: value})
    rows = connection.execute(f"SELECT {column} FROM {table}").fetchall()
    assert (value,) in rows


@pytest.mark.parametrize("column", PREFERENCES)
def test_preference_may_not_be_missing(connection: psycopg.Connection, column: str) -> None:
    with pytest.raises(psycopg.errors.NotNullViolation, match=column), connection.transaction():
        insert(connection, "user_probability_preferences", **{column: None})


def test_preference_defaults_are_those_of_the_document(connection: psycopg.Connection) -> None:
    insert(connection, "user_probability_preferences")
    row = connection.execute(f"SELECT {', '.join(PREFERENCES)} FROM user_probability_preferences").fetchone()
    assert row == tuple(map(Decimal, ("0.5", "0.7", "0.3", "0.001", "0.5", "0.95", "0.9", "0.6")))


def test_training_may_end_the_moment_it_began(connection: psycopg.Connection) -> None:
    insert(connection, "model_training_history", completed_at="2026-01-01T00:00:00Z", duration_seconds=0)
