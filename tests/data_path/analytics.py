"""Rows of the tables of ClickHouse that an application writes itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

from vfr_data.feedback import FeedbackEvent, LayerMetric

NOW = datetime.now(UTC).replace(microsecond=123000)
HOUR = timedelta(hours=1)
EVENT = FeedbackEvent(
    feedback_id=uuid4(),
    prediction_id=uuid4(),
    prediction_timestamp=NOW - HOUR,
    timestamp=NOW,
    symbol="AAPL",
    user_id=uuid4(),
    predicted_direction="BUY",
    actual_direction="SELL",
    predicted_confidence=0.8,
    actual_return=-0.02,
    expected_return=0.01,
    success=False,
    prediction_error=0.03,
    confidence_calibration_error=0.8,
    impact_score=1.5,
    models_updated=("xgb", "lstm"),
    update_magnitude=0.0,
    retraining_triggered=True,
    market_volatility=0.3,
    market_regime="trending",
    tenant_id="acme",
)
METRIC = LayerMetric(
    timestamp=NOW,
    symbol="AAPL",
    service_name="ml-supervised",
    user_id=uuid4(),
    layer_type="ensemble",
    layer_confidence=0.8,
    layer_uncertainty=0.1,
    prediction_accuracy=0.7,
    calibration_score=0.9,
    processing_time_ms=4,
    model_version="1.2",
    last_training_update=NOW - 24 * HOUR,
    tenant_id="acme",
)
