"""A right row for every table of the shipped PostgreSQL revisions, and the rows that others refer to."""

from datetime import UTC, datetime
from uuid import UUID

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb


def _id(n: int) -> UUID:
    return UUID(f"00000000-0000-4000-8000-{n:012x}")


ACME_USER, GLOBEX_USER, MODEL = _id(0xA), _id(0xB), _id(0xC)
FEATURE, OTHER_FEATURE, ENHANCEMENT = _id(0x10), _id(0x11), _id(0x12)
DATASET, OTHER_DATASET, PIPELINE = _id(0x20), _id(0x21), _id(0x22)
ML_MODEL, OTHER_ML_MODEL = _id(0x30), _id(0x31)
BACKTEST, PREDICTION = _id(0x40), _id(0x50)
NOW = datetime.now(UTC)

# D2: rows of tenants.
VALID: dict[str, dict[str, object]] = {
    "tenants": {"slug": "initech", "name": "Initech"},
    "users": {"tenant_id": "acme", "email": "someone@acme.example"},
    "trading_decisions": {"tenant_id": "acme", "user_id": ACME_USER, "symbol": "AAPL", "decision": "BUY"},
    "probabilistic_models": {
        "model_name": "xgboost",
        "model_type": "ensemble",
        "version": "1",
        "parameters": {},
        "tenant_id": "acme",
    },
    "user_probability_preferences": {"user_id": ACME_USER, "tenant_id": "acme"},
    "model_training_history": {
        "model_id": MODEL,
        "training_session_id": MODEL,
        "started_at": "2026-01-01T00:00:00Z",
        "status": "running",
        "tenant_id": "acme",
    },
    "probability_config_templates": {"name": "calm", "config": {}, "tenant_id": "acme"},
}

# D1: rows that belong to no tenant. Arrays are written as PostgreSQL writes them; lists are JSON.
VALID |= {
    "ml_feature_definitions": {
        "feature_name": "rsi",
        "feature_type": "technical",
        "data_type": "float",
        "calculation_frequency": "1d",
    },
    "ml_feature_dependencies": {
        "feature_id": FEATURE,
        "depends_on_feature_id": OTHER_FEATURE,
        "dependency_type": "input",
    },
    "ml_enhancement_definitions": {"enhancement_name": "momentum"},
    "ml_enhancement_store": {"ticker": "AAPL", "timestamp": NOW, "enhancement_id": ENHANCEMENT},
    "ml_datasets": {
        "dataset_name": "large caps",
        "dataset_version": "1",
        "tickers": "{AAPL,MSFT}",
        "feature_ids": f"{{{FEATURE}}}",
        "start_date": "2026-01-01",
        "end_date": "2026-06-30",
        "frequency": "1d",
        "splits": {"train": 0.8},
    },
    "ml_feature_pipelines": {
        "pipeline_name": "scale",
        "pipeline_version": "1",
        "input_features": f"{{{FEATURE}}}",
        "output_features": f"{{{OTHER_FEATURE}}}",
        "pipeline_steps": [],
    },
    "ml_data_lineage": {"downstream_dataset_id": DATASET, "upstream_dataset_id": OTHER_DATASET},
    "ml_models": {
        "model_name": "xgboost",
        "model_version": "1",
        "model_type": "xgboost",
        "algorithm_family": "tree_based",
        "objective": "price_prediction",
        "target_variable": "close",
        "prediction_horizon": "1d",
        "hyperparameters": {},
    },
    "ml_model_metrics": {
        "model_id": ML_MODEL,
        "metric_name": "rmse",
        "metric_value": "12.5",
        "dataset_type": "test",
    },
    "ml_model_deployments": {"model_id": ML_MODEL, "environment": "production", "traffic_percentage": "10"},
    "ml_ab_experiments": {
        "experiment_name": "new against old",
        "control_model_id": ML_MODEL,
        "treatment_model_id": OTHER_ML_MODEL,
        "success_metrics": "{rmse}",
    },
    "ml_backtesting_experiments": {
        "experiment_name": "first half",
        "model_id": ML_MODEL,
        "strategy_name": "long only",
        "strategy_config": {},
        "universe_tickers": "{AAPL}",
        "start_date": "2026-01-01",
        "end_date": "2026-06-30",
    },
    "ml_backtesting_results": {
        "experiment_id": BACKTEST,
        "trade_date": "2026-01-02",
        "ticker": "AAPL",
        "action": "BUY",
        "quantity": "1",
    },
    "ml_backtesting_metrics": {"experiment_id": BACKTEST, "total_return": "0.1"},
    "ml_predictions": {
        "model_id": ML_MODEL,
        "ticker": "AAPL",
        "prediction_timestamp": NOW,
        "prediction_horizon": "1d",
        "prediction_type": "price_target",
        "predicted_value": "110",
        "confidence_score": "0.9",
        "current_price": "100",
    },
    "ml_feature_store": {
        "ticker": "AAPL",
        "timestamp": NOW,
        "feature_id": FEATURE,
        "value": "1.5",
        "validation_status": "valid",
    },
}


def insert(connection: psycopg.Connection, table: str, **values: object) -> None:
    """Insert a valid row of `table` in which `values` stand for single columns."""
    row = {
        name: Jsonb(value) if isinstance(value, dict | list) else value
        for name, value in (VALID[table] | values).items()
    }
    statement = sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(map(sql.Placeholder, row)),
    )
    connection.execute(statement, row)


def insert_base(connection: psycopg.Connection) -> None:
    """Insert tenants acme and globex with a user each, and a model of acme."""
    for tenant, user in (("acme", ACME_USER), ("globex", GLOBEX_USER)):
        insert(connection, "tenants", slug=tenant)
        insert(connection, "users", id=user, tenant_id=tenant, email=f"first@{tenant}.example")
    insert(connection, "probabilistic_models", id=MODEL, model_name="base")


def insert_ml_base(connection: psycopg.Connection) -> None:
    """Insert what rows of D1 refer to: features, an enhancement, datasets, a pipeline, models, a backtest."""
    insert(connection, "ml_feature_definitions", feature_id=FEATURE, feature_name="base")
    insert(connection, "ml_feature_definitions", feature_id=OTHER_FEATURE, feature_name="other")
    insert(connection, "ml_enhancement_definitions", enhancement_id=ENHANCEMENT, enhancement_name="base")
    insert(connection, "ml_datasets", dataset_id=DATASET, dataset_name="base")
    insert(connection, "ml_datasets", dataset_id=OTHER_DATASET, dataset_name="other")
    insert(connection, "ml_feature_pipelines", pipeline_id=PIPELINE, pipeline_name="base")
    insert(connection, "ml_models", model_id=ML_MODEL, model_name="base")
    insert(connection, "ml_models", model_id=OTHER_ML_MODEL, model_name="other")
    insert(connection, "ml_backtesting_experiments", experiment_id=BACKTEST)
