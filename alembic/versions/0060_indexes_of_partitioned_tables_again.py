"""Indexes of predictions and features, again, of the windows' own"""

from alembic import op

revision = "0060"
down_revision = "0059"

# Those of the windows are taken as they are. A window without rows gets its own here, in no time.
INDEXES = {
    "idx_predictions_performance": (
        "ml_predictions (ticker, prediction_timestamp DESC) INCLUDE (predicted_value, actual_value, "
        "confidence_score) WHERE actual_value IS NOT NULL"
    ),
    "idx_high_confidence_predictions": (
        "ml_predictions (confidence_score DESC, prediction_timestamp DESC) WHERE confidence_score >= 0.8"
    ),
    "idx_large_errors": (
        "ml_predictions (absolute_error DESC, prediction_timestamp DESC) WHERE actual_value IS NOT NULL AND "
        "absolute_error > 0.05"
    ),
    "idx_predictions_implied_return": (
        "ml_predictions (((predicted_value - current_price) / nullif(current_price, 0))) WHERE actual_value IS NOT NULL"
    ),
    "idx_feature_store_composite_covering": (
        "ml_feature_store (ticker, timestamp DESC, feature_id) INCLUDE (value, confidence_score, "
        "data_quality_score, source_provider) WHERE validation_status = 'valid'"
    ),
    "idx_feature_store_high_quality": (
        "ml_feature_store (ticker, feature_id, timestamp DESC) WHERE data_quality_score >= 0.9 AND "
        "confidence_score >= 0.8"
    ),
    "idx_quality_score": "ml_enhancement_store (data_quality_score) WHERE data_quality_score < 0.8",
    "idx_ticker_time_covering": (
        "ml_enhancement_store (ticker, timestamp DESC) INCLUDE (enhancement_id, enhancement_value, "
        "enhanced_composite_value, confidence_score)"
    ),
}


def upgrade() -> None:
    for index, made_of in INDEXES.items():
        op.execute(f"CREATE INDEX {index} ON {made_of}")


def downgrade() -> None:
    for index in INDEXES:
        op.execute(f"DROP INDEX {index}")
