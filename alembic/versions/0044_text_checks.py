"""Checks on names, tickers and lists, for new rows"""

from alembic import op

revision = "0044"
down_revision = "0043"

# A ticker is written in capitals: 'aapl' and 'AAPL' would be two. A list that is there names something.
# chk_decided_at asks the clock, and may: what was not in the future once is not later, on a restore neither.
CHECKS = {
    "tenants": {
        "chk_not_empty": "btrim(name) <> ''",
    },
    "probabilistic_models": {
        "chk_not_empty": "btrim(model_name) <> '' AND btrim(version) <> ''",
    },
    "probability_config_templates": {
        "chk_not_empty": "btrim(name) <> ''",
    },
    "trading_decisions": {
        "chk_symbol": "symbol ~ '^[^a-z[:space:]]+$'",
        "chk_decided_at": "decided_at <= now() + interval '1 day'",
    },
    "user_probability_preferences": {
        "chk_preferred_indicators": (
            "cardinality(preferred_indicators) > 0 AND array_position(preferred_indicators, NULL) IS NULL AND"
            " '' <> ALL (preferred_indicators)"
        ),
    },
    "ml_feature_definitions": {
        "chk_not_empty": "btrim(feature_name) <> ''",
    },
    "ml_enhancement_definitions": {
        "chk_not_empty": "btrim(enhancement_name) <> ''",
    },
    "ml_datasets": {
        "chk_not_empty": "btrim(dataset_name) <> '' AND btrim(dataset_version) <> '' AND btrim(frequency) <> ''",
        "chk_tickers": (
            "cardinality(tickers) > 0 AND array_position(tickers, NULL) IS NULL AND '' <> ALL (tickers) AND "
            "array_to_string(tickers, '') ~ '^[^a-z[:space:]]+$'"
        ),
        "chk_feature_ids": "cardinality(feature_ids) > 0 AND array_position(feature_ids, NULL) IS NULL",
    },
    "ml_feature_pipelines": {
        "chk_not_empty": "btrim(pipeline_name) <> '' AND btrim(pipeline_version) <> ''",
        "chk_input_features": "cardinality(input_features) > 0 AND array_position(input_features, NULL) IS NULL",
        "chk_output_features": "cardinality(output_features) > 0 AND array_position(output_features, NULL) IS NULL",
    },
    "ml_models": {
        "chk_not_empty": (
            "btrim(model_name) <> '' AND btrim(model_version) <> '' AND btrim(target_variable) <> '' AND "
            "btrim(prediction_horizon) <> ''"
        ),
    },
    "ml_ab_experiments": {
        "chk_not_empty": "btrim(experiment_name) <> ''",
        "chk_success_metrics": (
            "cardinality(success_metrics) > 0 AND array_position(success_metrics, NULL) IS NULL AND '' <> ALL"
            " (success_metrics)"
        ),
        "chk_symbols_filter": (
            "cardinality(symbols_filter) > 0 AND array_position(symbols_filter, NULL) IS NULL AND '' <> ALL "
            "(symbols_filter) AND array_to_string(symbols_filter, '') ~ '^[^a-z[:space:]]+$'"
        ),
    },
    "ml_backtesting_experiments": {
        "chk_not_empty": "btrim(experiment_name) <> '' AND btrim(strategy_name) <> ''",
        "chk_benchmark_ticker": "benchmark_ticker ~ '^[^a-z[:space:]]+$'",
        "chk_universe_tickers": (
            "cardinality(universe_tickers) > 0 AND array_position(universe_tickers, NULL) IS NULL AND '' <> "
            "ALL (universe_tickers) AND array_to_string(universe_tickers, '') ~ '^[^a-z[:space:]]+$'"
        ),
    },
    "ml_predictions": {
        "chk_not_empty": "btrim(prediction_horizon) <> ''",
        "chk_ticker": "ticker ~ '^[^a-z[:space:]]+$'",
        "chk_volatility": "prediction_type <> 'volatility' OR least(predicted_value, actual_value) >= 0",
        "chk_feature_freshness": "feature_freshness_seconds >= 0",
    },
    "ml_enhancement_store": {
        "chk_ticker": "ticker ~ '^[^a-z[:space:]]+$'",
    },
    "ml_backtesting_results": {
        "chk_ticker": "ticker ~ '^[^a-z[:space:]]+$'",
    },
    "ml_feature_store": {
        "chk_ticker": "ticker ~ '^[^a-z[:space:]]+$'",
    },
    "ml_model_metrics": {
        "chk_symbol_universe": (
            "cardinality(symbol_universe) > 0 AND array_position(symbol_universe, NULL) IS NULL AND '' <> ALL"
            " (symbol_universe) AND array_to_string(symbol_universe, '') ~ '^[^a-z[:space:]]+$'"
        ),
    },
    "ml_backtesting_metrics": {
        "chk_sizes": "least(monthly_returns_std, avg_holding_period, turnover_rate) >= 0",
    },
}


def upgrade() -> None:
    # NOT VALID: rows that exist are not read under the strong lock. The next revision reads them under a weak one.
    for table, checks in CHECKS.items():
        added = ", ".join(f"ADD CONSTRAINT {name} CHECK ({check}) NOT VALID" for name, check in checks.items())
        op.execute(f"ALTER TABLE {table} {added}")


def downgrade() -> None:
    for table, checks in CHECKS.items():
        op.execute(f"ALTER TABLE {table} " + ", ".join(f"DROP CONSTRAINT {name}" for name in checks))
