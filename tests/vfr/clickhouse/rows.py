"""Good rows for the shipped tables, as dictionaries that a test spoils one column at a time."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from .engine import Database

ID = "00000000-0000-0000-0000-0000000000{:02d}"

DECISION: dict[str, object] = {
    "id": ID.format(1),
    "timestamp": "2026-01-02 03:04:05.678",
    "symbol": "BTC",
    "decision": "SELL",
    "user_id": ID.format(9),
    "indicator_probabilities": [["rsi", 0.5, 0.6, 0.7]],
    "ensemble_probability": 0.5,
    "meta_validation_score": 0.5,
    "aggregated_confidence": 0.6,
    "epistemic_uncertainty": 0.2,
    "aleatoric_uncertainty": 0.2,
    "consensus_strength": 0.5,
    "divergence_score": 0.5,
    "position_size": 100,
    "confidence_adjusted_size": 60,
    "risk_level": "low",
    "max_drawdown_estimate": 0.1,
    "uncertainty_penalty": 0.1,
    "expected_return": 0.01,
    "confidence_interval_lower": -0.01,
    "confidence_interval_upper": 0.03,
    "probability_success": 0.5,
    "model_versions": [["m1", "1"]],
    "market_regime": "calm",
    "volatility_score": 0.3,
    "execution_latency_ms": 20,
    "probability_calculation_time_ms": 5,
    "tenant_id": "acme",
}
METRIC: dict[str, object] = {
    # No TTL removes it during a test.
    "timestamp": f"{datetime.now(UTC):%Y-%m-%d} 00:00:00.678",
    "symbol": "BTC",
    "service_name": "ml-supervised",
    "user_id": ID.format(9),
    "layer_type": "adaptive",
    "layer_confidence": 0.5,
    "layer_uncertainty": 0.5,
    "prediction_accuracy": 0.5,
    "calibration_score": 0.5,
    "processing_time_ms": 3,
    "model_version": "1",
    "last_training_update": "2026-01-01 00:00:00.000",
    "tenant_id": "acme",
}
FEEDBACK: dict[str, object] = {
    "feedback_id": ID.format(2),
    "prediction_id": ID.format(1),
    "prediction_timestamp": "2026-01-02 03:04:05.678",
    "timestamp": "2026-01-03 03:04:05.678",
    "symbol": "BTC",
    "user_id": ID.format(9),
    "predicted_direction": "SELL",
    "actual_direction": "HOLD",
    "predicted_confidence": 0.6,
    "actual_return": 0.01,
    "expected_return": 0.02,
    "success": False,
    "prediction_error": 0.01,
    "confidence_calibration_error": 0.1,
    "impact_score": 1,
    "models_updated": ["m1"],
    "market_volatility": 0.3,
    "market_regime": "calm",
    "tenant_id": "acme",
}
PERFORMANCE: dict[str, object] = {
    "date": "2026-01-02",
    "symbol": "BTC",
    "user_id": ID.format(9),
    "total_predictions": 10,
    "successful_predictions": 7,
    "confidence_sum": 8,
    "uncertainty_sum": 2,
    "calibration_sum": 9,
    "return_sum": 0.05,
    "return_squared_sum": 0.01,
    "confidence_weighted_return_sum": 0.04,
    "max_drawdown": 0.1,
    "position_size_sum": 1000,
    "risk_adjusted_return_sum": 0.03,
    "uncertainty_penalty_total": 0.1,
    "tenant_id": "acme",
}
# What the materialized views write; by hand only to put right what they missed.
MINUTE: dict[str, object] = {
    "tenant_id": "acme",
    "symbol": "BTC",
    "minute_bucket": "2026-01-02 03:04:00",
    "prediction_count": 2,
    "confidence_sum": 1.2,
    "uncertainty_sum": 0.4,
    "processing_time_sum": 10,
}
HOUR: dict[str, object] = {
    "tenant_id": "acme",
    "model_name": "m1",
    "model_version": "1",
    "hour_bucket": "2026-01-02 03:00:00",
    "usage_count": 2,
    "confidence_sum": 1.2,
    "latency_sum": 40,
}
GOOD = {
    "trading_decisions_probabilistic": DECISION,
    "probability_metrics_realtime": METRIC,
    "model_feedback_events": FEEDBACK,
    "probabilistic_performance_analytics": PERFORMANCE,
    "confidence_monitoring": MINUTE,
    "model_performance": HOUR,
}


def insert(database: Database, table: str, row: dict[str, object]) -> None:
    # JSONEachRow reads the strings "nan" and "inf" as numbers.
    database.run(f"INSERT INTO {table} SETTINGS input_format_null_as_default = 0 FORMAT JSONEachRow {json.dumps(row)}")
