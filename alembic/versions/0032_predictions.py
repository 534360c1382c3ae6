"""Predictions, partitioned by month"""

from alembic import op

revision = "0032"
down_revision = "0031"

SECTION = "D1 §5 Real-time Prediction Storage, Prediction Results and Performance Tracking"

# Every key of a partitioned table includes the partition column; prediction_id alone is therefore not unique, and no
# foreign key may point here, since it would keep partitions from being dropped. RESTRICT: models are kept for good.
TABLE = """
CREATE TABLE ml_predictions (
    prediction_id              uuid           NOT NULL DEFAULT gen_random_uuid(),
    model_id                   uuid           NOT NULL,
    ticker                     varchar(20)    NOT NULL,
    prediction_timestamp       timestamptz    NOT NULL,
    prediction_horizon         varchar(20)    NOT NULL,
    prediction_type            varchar(50)    NOT NULL,
    predicted_value            numeric(15,8)  NOT NULL,
    confidence_score           numeric(5,4)   NOT NULL,
    probability_up             numeric(5,4),
    probability_down           numeric(5,4),
    upper_bound                numeric(15,8),
    lower_bound                numeric(15,8),
    std_error                  numeric(15,8),
    current_price              numeric(12,4)  NOT NULL,
    implied_return             numeric(14,6),
    features_used              text[],
    feature_vector             jsonb,
    model_version              varchar(50),
    ensemble_weights           jsonb,
    actual_value               numeric(15,8),
    actual_timestamp           timestamptz,
    prediction_error           numeric(16,8),
    squared_error              numeric(24,8),
    absolute_error             numeric(16,8),
    direction_correct          boolean,
    execution_time_ms          integer,
    cache_hit                  boolean        NOT NULL DEFAULT false,
    feature_freshness_seconds  integer,
    data_quality_score         numeric(5,4),
    created_at                 timestamptz    NOT NULL DEFAULT now(),

    PRIMARY KEY (prediction_id, prediction_timestamp),
    CONSTRAINT uq_ml_predictions_natural
        UNIQUE (model_id, ticker, prediction_horizon, prediction_type, prediction_timestamp),
    CONSTRAINT fk_ml_predictions_model FOREIGN KEY (model_id) REFERENCES ml_models ON DELETE RESTRICT,
    CONSTRAINT chk_prediction_type
        CHECK (prediction_type IN ('price_target', 'direction', 'volatility', 'probability')),
    CONSTRAINT chk_predicted_value CHECK (
        predicted_value <> 'NaN' AND (prediction_type <> 'probability' OR predicted_value BETWEEN 0 AND 1)
    ),
    CONSTRAINT chk_confidence_score CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT chk_data_quality_score CHECK (data_quality_score BETWEEN 0 AND 1),
    CONSTRAINT chk_current_price CHECK (current_price >= 0 AND current_price <> 'NaN'),
    CONSTRAINT chk_not_negative CHECK (least(std_error, squared_error, absolute_error, execution_time_ms) >= 0),
    CONSTRAINT chk_prediction_bounds CHECK (
        num_nonnulls(lower_bound, upper_bound) IN (0, 2)
        AND lower_bound <= predicted_value AND predicted_value <= upper_bound
    ),
    CONSTRAINT chk_probabilities CHECK (
        probability_up BETWEEN 0 AND 1 AND probability_down BETWEEN 0 AND 1
        AND coalesce(probability_up, 0) + coalesce(probability_down, 0) <= 1.01
    ),
    CONSTRAINT chk_no_nan CHECK ('NaN' NOT IN (
        upper_bound, lower_bound, std_error, implied_return, actual_value, prediction_error, squared_error,
        absolute_error
    ))
) PARTITION BY RANGE (prediction_timestamp)
"""

# Recent rows are the last partition, so that no index needs a predicate on the clock.
INDEXES = [
    "idx_predictions_ticker_time ON ml_predictions (ticker, prediction_timestamp DESC)",
    "idx_predictions_model_time ON ml_predictions (model_id, prediction_timestamp DESC)",
    "idx_predictions_horizon ON ml_predictions (prediction_horizon, prediction_timestamp DESC)",
    "idx_predictions_performance ON ml_predictions (ticker, prediction_timestamp DESC) "
    "INCLUDE (predicted_value, actual_value, confidence_score) WHERE actual_value IS NOT NULL",
    "idx_high_confidence_predictions ON ml_predictions (confidence_score DESC, prediction_timestamp DESC) "
    "WHERE confidence_score >= 0.8",
    "idx_large_errors ON ml_predictions (absolute_error DESC, prediction_timestamp DESC) "
    "WHERE actual_value IS NOT NULL AND absolute_error > 0.05",
    "idx_predictions_timestamp_brin ON ml_predictions USING brin (prediction_timestamp)",
    "idx_predictions_implied_return ON ml_predictions "
    "(((predicted_value - current_price) / nullif(current_price, 0))) WHERE actual_value IS NOT NULL",
]

COLUMNS = {
    "prediction_id": "Key, together with prediction_timestamp",
    "model_id": "Model that predicts; it cannot be deleted while its predictions are kept",
    "ticker": "Trading symbol",
    "prediction_timestamp": "When it was predicted; decides the partition",
    "prediction_horizon": "How far ahead, for example 1d, 1w or 1m (a month)",
    "prediction_type": "price_target, direction, volatility or probability",
    "predicted_value": "price_target: USD; direction: above 0 up, below 0 down; volatility: fraction; probability: 0-1",
    "confidence_score": "Confidence, 0-1",
    "probability_up": "Probability that the price rises, 0-1; NULL: not computed",
    "probability_down": "Probability that it falls, 0-1, with the other at most 1.01 (rounding); NULL: not computed",
    "upper_bound": "End of the confidence interval, not below predicted_value; NULL together with lower_bound",
    "lower_bound": "Start of the confidence interval, not above predicted_value; NULL together with upper_bound",
    "std_error": "Standard error in the unit of predicted_value, 0 or more",
    "current_price": "Price when it was predicted, USD, 0 or more",
    "implied_return": "Predicted return, fraction",
    "features_used": "Names of the features used",
    "feature_vector": "Values of the features used",
    "model_version": "Version of the model",
    "ensemble_weights": "Weight of each model of an ensemble",
    "actual_value": "What came about, in the unit of predicted_value; NULL until known",
    "actual_timestamp": "When that was measured; NULL until known",
    "prediction_error": "Actual less predicted; NULL until known",
    "squared_error": "Square of the error, 0 or more; NULL until known",
    "absolute_error": "Size of the error, 0 or more; NULL until known",
    "direction_correct": "true: the direction was right; NULL until known, and for volatility and probability",
    "execution_time_ms": "Duration of the prediction, milliseconds, 0 or more",
    "cache_hit": "true: it came from the cache",
    "feature_freshness_seconds": "Age of the newest feature, seconds",
    "data_quality_score": "Quality of the input, 0-1, 1 is best; NULL: not computed",
    "created_at": "When the row was written",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute("SELECT create_monthly_partitions('ml_predictions', 3, 12)")
    op.execute(
        "COMMENT ON TABLE ml_predictions IS "
        f"'Predictions and what came about; partitioned by month in UTC, kept 90 days after its end; {SECTION}'"
    )
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_predictions.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_predictions")
