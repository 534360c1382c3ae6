"""D1: every check refuses its forbidden row by name and lets the right one in."""

from decimal import Decimal
from itertools import chain

import psycopg
import pytest

from ..factories.postgres import DATASET, FEATURE, ML_MODEL, NOW, PIPELINE, VALID, insert, insert_ml_base
from .rows import refused, scalar

TABLES = [table for table in VALID if table.startswith("ml_")]
NAN = Decimal("NaN")
SELF = "00000000-0000-4000-8000-0000000000ff"

VOCABULARIES = {
    ("ml_feature_definitions", "feature_type"): "technical fundamental sentiment macro options custom",
    ("ml_feature_definitions", "data_type"): "float integer boolean categorical vector",
    ("ml_feature_definitions", "calculation_frequency"): "1m 5m 15m 1h 4h 1d weekly monthly",
    ("ml_feature_dependencies", "dependency_type"): "input derived aggregation transformation",
    ("ml_enhancement_store", "validation_status"): "pending valid invalid fallback partial",
    ("ml_datasets", "dataset_type"): "training validation test holdout benchmark",
    ("ml_datasets", "data_format"): "parquet csv hdf5 feather tfrecord",
    ("ml_data_lineage", "transformation_type"): "feature_engineering aggregation filtering join union",
    ("ml_models", "model_type"): "linear_regression logistic_regression random_forest xgboost lightgbm catboost lstm "
    "transformer ensemble meta_learner",
    ("ml_models", "algorithm_family"): "tree_based neural_network linear ensemble time_series",
    ("ml_models", "objective"): "price_prediction direction_classification volatility_forecast risk_assessment "
    "anomaly_detection portfolio_optimization",
    ("ml_models", "status"): "training completed failed validated deployed shadow production deprecated archived",
    (
        "ml_model_metrics",
        "metric_name",
    ): "accuracy precision recall f1_score auc_roc auc_pr mse rmse mae mape r_squared "
    "sharpe_ratio sortino_ratio max_drawdown calmar_ratio hit_rate profit_factor win_loss_ratio",
    ("ml_model_metrics", "dataset_type"): "train validation test holdout live",
    ("ml_model_deployments", "environment"): "development staging production canary shadow a_b_test",
    ("ml_model_deployments", "deployment_strategy"): "blue_green rolling canary shadow a_b_split",
    ("ml_ab_experiments", "status"): "draft active paused completed stopped",
    ("ml_backtesting_experiments", "commission_type"): "percentage fixed tiered",
    ("ml_backtesting_experiments", "rebalance_frequency"): "intraday daily weekly monthly quarterly",
    ("ml_backtesting_experiments", "execution_status"): "pending running completed failed cancelled",
    ("ml_backtesting_results", "action"): "BUY SELL HOLD",
    ("ml_backtesting_results", "position_type"): "LONG SHORT",
    ("ml_backtesting_results", "predicted_direction"): "UP DOWN NEUTRAL",
    ("ml_feature_store", "validation_status"): "pending valid invalid fallback partial",
    ("ml_predictions", "prediction_type"): "price_target direction volatility probability",
}

# (table, column) → constraint: 0 to 1, both ends included, NaN refused
UNIT = {
    ("ml_enhancement_store", "confidence_score"): "chk_confidence_score",
    ("ml_enhancement_store", "data_quality_score"): "chk_data_quality_score",
    ("ml_enhancement_store", "enhancement_weight"): "chk_enhancement_weight",
    ("ml_datasets", "data_quality_score"): "chk_quality_score",
    ("ml_backtesting_results", "prediction_confidence"): "chk_confidence_valid",
    ("ml_backtesting_results", "signal_strength"): "chk_signal_strength",
    ("ml_backtesting_metrics", "win_rate"): "chk_win_rate",
    ("ml_backtesting_metrics", "monthly_win_rate"): "chk_monthly_win_rate",
    ("ml_predictions", "confidence_score"): "chk_confidence_score",
    ("ml_predictions", "data_quality_score"): "chk_data_quality_score",
    ("ml_predictions", "probability_up"): "chk_probabilities",
    ("ml_predictions", "probability_down"): "chk_probabilities",
    ("ml_feature_store", "confidence_score"): "chk_confidence_score",
    ("ml_feature_store", "data_quality_score"): "chk_data_quality_score",
}

# (table, constraint, forbidden rows, right rows)
DAYS: dict[str, object] = {"start_date": "2026-01-01", "end_date": "2026-01-01"}
CASES: list[tuple[str, str, list[dict[str, object]], list[dict[str, object]]]] = [
    ("ml_feature_definitions", "chk_lookback_positive", [{"lookback_window_days": 0}], [{"lookback_window_days": 1}]),
    ("ml_feature_definitions", "chk_version_positive", [{"feature_version": 0}], [{"feature_version": 2}]),
    ("ml_feature_dependencies", "chk_no_self_dependency", [{"depends_on_feature_id": FEATURE}], [{}]),
    ("ml_feature_dependencies", "chk_lag_periods", [{"lag_periods": -1}], [{"lag_periods": 1}]),
    ("ml_feature_dependencies", "chk_weight", [{"weight": NAN}], [{"weight": "-0.5"}]),
    ("ml_enhancement_definitions", "chk_version_positive", [{"enhancement_version": 0}], [{"enhancement_version": 2}]),
    (
        "ml_enhancement_store",
        "chk_enhancement_latency_ms",
        [{"enhancement_latency_ms": -1}],
        [{"enhancement_latency_ms": 0}],
    ),
    ("ml_datasets", "chk_date_range", [DAYS], [{"end_date": "2026-01-02"}]),
    ("ml_datasets", "chk_positive_samples", [{"total_samples": 0}], [{"total_samples": 3_000_000_000}]),
    (
        "ml_datasets",
        "chk_missing_data",
        [{"missing_data_percentage": v} for v in ("-0.01", "100.01", NAN)],
        [{"missing_data_percentage": "100"}],
    ),
    ("ml_feature_pipelines", "chk_execution_time_ms", [{"execution_time_ms": -1}], [{"execution_time_ms": 0}]),
    ("ml_feature_pipelines", "chk_memory_usage_mb", [{"memory_usage_mb": -1}], [{"memory_usage_mb": 0}]),
    (
        "ml_data_lineage",
        "chk_upstream",
        [{"upstream_dataset_id": None}],
        [{"upstream_dataset_id": None, "pipeline_id": PIPELINE}],
    ),
    ("ml_data_lineage", "chk_different_datasets", [{"upstream_dataset_id": DATASET}], [{}]),
    (
        "ml_models",
        "chk_scores_valid",
        [{"validation_score": NAN}, {"test_score": NAN}, {"cross_validation_scores": "{0.5,NaN}"}],
        [{"validation_score": "-0.3", "test_score": "12.5", "cross_validation_scores": "{0.5,-0.1,NULL}"}],
    ),
    (
        "ml_models",
        "chk_training_time",
        [{"training_start_time": NOW, "training_end_time": NOW}],
        [{"training_start_time": "2026-01-01", "training_end_time": "2026-01-02"}, {"training_start_time": NOW}],
    ),
    (
        "ml_models",
        "chk_training_duration_minutes",
        [{"training_duration_minutes": -5}],
        [{"training_duration_minutes": 0}],
    ),
    ("ml_models", "chk_model_size", [{"model_size_mb": 0}, {"model_size_mb": NAN}], [{"model_size_mb": "0.01"}]),
    ("ml_model_metrics", "chk_metric_value", [{"metric_value": NAN}], [{"metric_value": "16000000.5"}]),
    ("ml_model_metrics", "chk_metric_std", [{"metric_std": -1}, {"metric_std": NAN}], [{"metric_std": 0}]),
    (
        "ml_model_metrics",
        "chk_time_period",
        [{"time_period_start": "2026-01-02", "time_period_end": "2026-01-01"}],
        [{"time_period_start": "2026-01-01", "time_period_end": "2026-01-01"}],
    ),
    (
        "ml_model_deployments",
        "chk_traffic_percentage_valid",
        [{"traffic_percentage": v} for v in ("-0.01", "100.01", NAN)],
        [{"traffic_percentage": "0"}, {"traffic_percentage": "100"}],
    ),
    (
        "ml_model_deployments",
        "chk_rollback_to_another",
        [{"deployment_id": SELF, "rollback_deployment_id": SELF}],
        [{"deployment_id": SELF}],
    ),
    (
        "ml_ab_experiments",
        "chk_traffic_split",
        [{"traffic_split": v} for v in ("-0.01", "100.01", NAN)],
        [{"traffic_split": "0"}],
    ),
    ("ml_ab_experiments", "chk_different_models", [{"treatment_model_id": ML_MODEL}], [{}]),
    (
        "ml_ab_experiments",
        "chk_winner",
        [{"winner_model_id": SELF}],
        [{"winner_model_id": ML_MODEL}, {"winner_model_id": None}],
    ),
    (
        "ml_ab_experiments",
        "chk_experiment_dates",
        [{"start_date": NOW, "end_date": NOW}],
        [{"start_date": "2026-01-01", "end_date": "2026-01-02"}],
    ),
    ("ml_ab_experiments", "chk_minimum_sample_size", [{"minimum_sample_size": 0}], [{"minimum_sample_size": 1}]),
    (
        "ml_ab_experiments",
        "chk_confidence_level",
        [{"confidence_level": v} for v in ("0.7999", "1", NAN)],
        [{"confidence_level": "0.8"}, {"confidence_level": "0.995"}],
    ),
    ("ml_backtesting_experiments", "chk_experiment_dates", [DAYS], [{"end_date": "2026-01-02"}]),
    (
        "ml_backtesting_experiments",
        "chk_positive_capital",
        [{"initial_capital": v} for v in (0, NAN)],
        [{"initial_capital": "0.01"}],
    ),
    (
        "ml_backtesting_experiments",
        "chk_commission_valid",
        [{"commission_per_trade": v} for v in (-1, NAN)],
        [{"commission_per_trade": "9.99", "commission_type": "fixed"}],
    ),
    (
        "ml_backtesting_experiments",
        "chk_bid_ask_spread_bps",
        [{"bid_ask_spread_bps": v} for v in (-1, NAN)],
        [{"bid_ask_spread_bps": 0}],
    ),
    (
        "ml_backtesting_experiments",
        "chk_turnover_limit",
        [{"turnover_limit": v} for v in (-1, NAN)],
        [{"turnover_limit": 100}],
    ),
    (
        "ml_backtesting_experiments",
        "chk_leverage_valid",
        [{"leverage_limit": v} for v in (0, "10.01", NAN)],
        [{"leverage_limit": 10}],
    ),
    (
        "ml_backtesting_experiments",
        "chk_windows_positive",
        [{"training_window_days": 0}, {"retrain_frequency_days": -1}, {"min_training_samples": 0}],
        [{"training_window_days": None, "retrain_frequency_days": 1}],
    ),
    (
        "ml_backtesting_experiments",
        "chk_progress_valid",
        [{"progress_percentage": v} for v in ("-0.01", "100.01", NAN)],
        [{"progress_percentage": 100}],
    ),
    (
        "ml_backtesting_experiments",
        "chk_completion_time",
        [{"start_time": "2026-01-02", "completion_time": "2026-01-01"}],
        [{"start_time": NOW, "completion_time": NOW}],
    ),
    ("ml_backtesting_results", "chk_trade_sequence", [{"trade_sequence": 0}], [{"trade_sequence": 2}]),
    (
        "ml_backtesting_results",
        "chk_quantity_positive",
        [{"quantity": v} for v in (-1, NAN)],
        [{"quantity": 0, "action": "HOLD"}],
    ),
    ("ml_backtesting_results", "chk_holding_period_days", [{"holding_period_days": -1}], [{"holding_period_days": 0}]),
    (
        "ml_backtesting_results",
        "chk_portfolio_weight",
        [{"portfolio_weight": v} for v in ("-1.01", "1.01", NAN)],
        [{"portfolio_weight": -1}],
    ),
    (
        "ml_backtesting_results",
        "chk_leverage_reasonable",
        [{"leverage_ratio": v} for v in ("-0.01", "10.01", NAN)],
        [{"leverage_ratio": 10}],
    ),
    (
        "ml_backtesting_metrics",
        "chk_not_negative",
        [{c: -1} for c in ("max_drawdown", "max_drawdown_duration_days", "volatility", "total_trades")],
        [{"max_drawdown": 0, "volatility": 0}],
    ),
    (
        "ml_predictions",
        "chk_predicted_value",
        [{"predicted_value": NAN}, {"prediction_type": "probability", "predicted_value": "7.5"}],
        [{"prediction_type": "probability", "predicted_value": "0.75"}, {"predicted_value": "704000"}],
    ),
    (
        "ml_predictions",
        "chk_current_price",
        [{"current_price": v} for v in (-1, NAN)],
        [{"current_price": 0}, {"current_price": 0, "actual_value": 1}],
    ),
    (
        "ml_predictions",
        "chk_not_negative",
        [{c: -1} for c in ("std_error", "squared_error", "absolute_error", "execution_time_ms")],
        [{"std_error": 0, "execution_time_ms": 0}],
    ),
    (
        "ml_predictions",
        "chk_prediction_bounds",
        [
            {"upper_bound": 120},
            {"lower_bound": 90},
            {"lower_bound": 111, "upper_bound": 120},
            {"lower_bound": 90, "upper_bound": 109},
        ],
        [{"lower_bound": 110, "upper_bound": 110}, {"lower_bound": 90, "upper_bound": 120}],
    ),
    (
        "ml_predictions",
        "chk_probabilities",
        [{"probability_up": "7.5"}, {"probability_up": "0.6", "probability_down": "0.5"}],
        [{"probability_up": "0.6", "probability_down": "0.41"}, {"probability_down": "0.4"}],
    ),
    (
        "ml_feature_store",
        "chk_value",
        [{"value": NAN}, {"value": None}],
        [{"value": None, "validation_status": "invalid"}, {"value": "3400000000000"}],
    ),
]


NAMES = {
    "ml_feature_definitions": ["feature_name"],
    "ml_enhancement_definitions": ["enhancement_name"],
    "ml_datasets": ["dataset_name", "dataset_version", "frequency"],
    "ml_feature_pipelines": ["pipeline_name", "pipeline_version"],
    "ml_models": ["model_name", "model_version", "target_variable", "prediction_horizon"],
    "ml_ab_experiments": ["experiment_name"],
    "ml_backtesting_experiments": ["experiment_name", "strategy_name"],
    "ml_predictions": ["prediction_horizon"],
}
NO_TICKER = ("", " ", "aapl", "AAPL ", "BRK b")
TICKERS = ("AAPL", "BRK.A", "BTC-USD", "^GSPC", "7203.T")
NO_LIST = ("{}", "{NULL}")
CASES += [
    (table, "chk_not_empty", [{column: text} for column in columns for text in ("", " ")], [{}])
    for table, columns in NAMES.items()
]
CASES += [
    (table, f"chk_{column}", [{column: text} for text in NO_TICKER], [{column: text} for text in TICKERS])
    for table, column in (
        ("ml_enhancement_store", "ticker"),
        ("ml_backtesting_results", "ticker"),
        ("ml_predictions", "ticker"),
        ("ml_feature_store", "ticker"),
        ("ml_backtesting_experiments", "benchmark_ticker"),
    )
]
CASES += [
    (table, f"chk_{column}", [{column: text} for text in (*NO_LIST, *refused)], [{column: text} for text in right])
    for table, column, refused, right in (
        ("ml_backtesting_experiments", "universe_tickers", ["{aapl}", '{""}', '{AAPL,"BRK B"}'], ["{AAPL,BRK.A}"]),
        ("ml_datasets", "tickers", ["{aapl}", '{AAPL,""}', '{" "}'], ["{AAPL}"]),
        ("ml_datasets", "feature_ids", [], [f"{{{FEATURE}}}"]),
        ("ml_feature_pipelines", "input_features", [], [f"{{{FEATURE}}}"]),
        ("ml_feature_pipelines", "output_features", [], [f"{{{FEATURE}}}"]),
        ("ml_ab_experiments", "success_metrics", ['{""}', '{rmse,""}'], ["{rmse,mae}"]),
        ("ml_ab_experiments", "symbols_filter", ["{aapl}", '{""}'], ["{AAPL}", None]),
        ("ml_model_metrics", "symbol_universe", ["{aapl}", '{""}'], ["{AAPL}", None]),
    )
]
CASES += [
    (
        "ml_predictions",
        "chk_volatility",
        [{"prediction_type": "volatility", c: "-0.1"} for c in ("predicted_value", "actual_value")],
        [{"prediction_type": "volatility", "predicted_value": "0.2", "actual_value": "0"}, {"predicted_value": "-1"}],
    ),
    (
        "ml_predictions",
        "chk_feature_freshness",
        [{"feature_freshness_seconds": -1}],
        [{"feature_freshness_seconds": 0}],
    ),
    (
        "ml_backtesting_metrics",
        "chk_sizes",
        [{c: -1} for c in ("monthly_returns_std", "avg_holding_period", "turnover_rate")],
        [{"turnover_rate": 0}],
    ),
]
CASES += [
    (table, "chk_within_bounds", [{column: "Infinity"}, {column: "-1e30" if signed else "1e30"}], [{column: "1e29"}])
    for table, column, signed in (
        ("ml_backtesting_experiments", "initial_capital", False),
        ("ml_backtesting_metrics", "total_return", True),
        ("ml_backtesting_results", "net_pnl", True),
        ("ml_enhancement_store", "enhancement_value", True),
        ("ml_feature_dependencies", "weight", True),
        ("ml_model_metrics", "metric_value", True),
        ("ml_models", "validation_score", True),
        ("ml_predictions", "predicted_value", True),
    )
]


@pytest.fixture(autouse=True)
def base(connection: psycopg.Connection) -> None:
    insert_ml_base(connection)


@pytest.mark.parametrize("table", TABLES)
def test_factory_row_is_accepted(connection: psycopg.Connection, table: str) -> None:
    before = scalar(connection, f"SELECT count(*) FROM {table}")
    insert(connection, table)
    assert scalar(connection, f"SELECT count(*) FROM {table}") == int(str(before)) + 1


@pytest.mark.parametrize(("table", "column"), VOCABULARIES)
def test_vocabulary_is_closed(connection: psycopg.Connection, table: str, column: str) -> None:
    with refused(connection, f"chk_{column}"):
        insert(connection, table, **{column: "banana"})
    for word in VOCABULARIES[table, column].split():
        # A probability is 0 to 1.
        extra = {"predicted_value": "1"} if word == "probability" else {}
        with connection.transaction(force_rollback=True):
            insert(connection, table, **{column: word}, **extra)


@pytest.mark.parametrize(("table", "column"), UNIT)
def test_unit_range_is_enforced(connection: psycopg.Connection, table: str, column: str) -> None:
    for forbidden in ("-0.0001", "1.0001", "NaN"):
        with refused(connection, UNIT[table, column]):
            insert(connection, table, **{column: Decimal(forbidden)})
    for right in ("0", "0.9950", "1"):
        with connection.transaction(force_rollback=True):
            insert(connection, table, **{column: Decimal(right)})
            assert scalar(connection, f"SELECT count(*) FROM {table} WHERE {column} = {right}") == 1


@pytest.mark.parametrize(("table", "constraint", "forbidden", "right"), CASES)
def test_check_refuses_the_forbidden_and_keeps_the_right(
    connection: psycopg.Connection,
    table: str,
    constraint: str,
    forbidden: list[dict[str, object]],
    right: list[dict[str, object]],
) -> None:
    for values in forbidden:
        with refused(connection, constraint):
            insert(connection, table, **values)
    for values in right:
        with connection.transaction(force_rollback=True):
            insert(connection, table, **values)


NUMERIC = """
    SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND atttypid = 'numeric'::regtype
"""


@pytest.mark.parametrize("table", TABLES)
def test_no_numeric_column_takes_nan(connection: psycopg.Connection, table: str) -> None:
    for (column,) in connection.execute(NUMERIC, [table]).fetchall():
        with pytest.raises(psycopg.errors.CheckViolation), connection.transaction():
            insert(connection, table, **{column: NAN})


def test_every_check_of_the_schema_has_a_case(connection: psycopg.Connection) -> None:
    query = """SELECT relname, conname FROM pg_constraint JOIN pg_class c ON c.oid = conrelid
               WHERE contype = 'c' AND relname ~ '^ml_' AND NOT relispartition"""
    tried = {(table, f"chk_{column}") for table, column in VOCABULARIES}
    tried |= {(table, name) for (table, _), name in UNIT.items()}
    tried |= {(table, name) for table, name, *_ in CASES}
    tried |= set(chain((table, "chk_no_nan") for table in TABLES))  # every numeric column, above
    assert set(connection.execute(query).fetchall()) - tried == set()
