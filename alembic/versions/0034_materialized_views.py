"""Materialized views of features and of model performance"""

from alembic import op

revision = "0034"
down_revision = "0033"

FEATURES = "D1 §1 Feature Store Schema, Feature Aggregation and Materialized Views"
PREDICTIONS = "D1 §5 Real-time Prediction Storage, Prediction Results and Performance Tracking"

# Days are those of UTC, and so is the day the reach is counted from: a refresh from any session gives the same rows.
DAILY = """
CREATE MATERIALIZED VIEW mv_daily_features AS
SELECT
    ticker, (timestamp AT TIME ZONE 'UTC')::date AS trade_date, feature_id, value, confidence_score, data_quality_score,
    source_provider,
    rank() OVER (
        PARTITION BY ticker, (timestamp AT TIME ZONE 'UTC')::date, feature_id ORDER BY timestamp DESC
    ) AS rank_latest
FROM ml_feature_store
WHERE timestamp >= date_trunc('day', now(), 'UTC') - interval '90 days' AND validation_status = 'valid'
"""

# Of the active versions of a feature the highest counts: a name can stand in a vector only once.
VECTORS = """
CREATE MATERIALIZED VIEW mv_feature_vectors AS
SELECT
    fs.ticker, fs.timestamp,
    jsonb_object_agg(fd.feature_name, jsonb_build_object(
        'value', fs.value, 'confidence', fs.confidence_score, 'quality', fs.data_quality_score
    )) AS feature_vector,
    count(*) AS feature_count, avg(fs.confidence_score) AS avg_confidence, min(fs.data_quality_score) AS min_quality
FROM ml_feature_store fs JOIN (
    SELECT DISTINCT ON (feature_name) feature_id, feature_name FROM ml_feature_definitions
    WHERE is_active ORDER BY feature_name, feature_version DESC
) fd USING (feature_id)
WHERE fs.timestamp >= date_trunc('day', now(), 'UTC') - interval '30 days' AND fs.validation_status = 'valid'
GROUP BY fs.ticker, fs.timestamp
HAVING count(*) >= 10
"""

# By type as well: errors of a price and of a probability have no common unit.
PERFORMANCE = """
CREATE MATERIALIZED VIEW mv_model_performance AS
SELECT
    model_id, prediction_horizon, prediction_type, (prediction_timestamp AT TIME ZONE 'UTC')::date AS prediction_date,
    count(*) AS total_predictions, count(actual_value) AS predictions_with_actuals,
    avg(confidence_score) FILTER (WHERE actual_value IS NOT NULL) AS avg_confidence,
    avg(absolute_error) FILTER (WHERE actual_value IS NOT NULL) AS mean_absolute_error,
    sqrt(avg(squared_error) FILTER (WHERE actual_value IS NOT NULL)) AS rmse,
    avg(direction_correct::integer) FILTER (WHERE actual_value IS NOT NULL) AS direction_accuracy,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY absolute_error) AS median_absolute_error,
    percentile_cont(0.95) WITHIN GROUP (ORDER BY absolute_error) AS p95_absolute_error,
    max(execution_time_ms) AS max_latency_ms, avg(execution_time_ms) AS avg_latency_ms,
    avg(cache_hit::integer) AS cache_hit_rate
FROM ml_predictions
WHERE prediction_timestamp >= date_trunc('day', now(), 'UTC') - interval '90 days'
GROUP BY 1, 2, 3, 4
"""

# A unique index on plain columns is what REFRESH MATERIALIZED VIEW CONCURRENTLY needs.
INDEXES = [
    "UNIQUE INDEX idx_mv_daily_features_primary ON mv_daily_features (ticker, trade_date, feature_id, rank_latest)",
    "INDEX idx_mv_daily_features_date ON mv_daily_features (trade_date DESC)",
    "UNIQUE INDEX idx_mv_feature_vectors_ticker_time ON mv_feature_vectors (ticker, timestamp DESC)",
    "UNIQUE INDEX idx_mv_model_performance_primary "
    "ON mv_model_performance (model_id, prediction_horizon, prediction_type, prediction_date)",
]

REFRESH = """
CREATE FUNCTION refresh_daily_features() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    REFRESH MATERIALIZED VIEW CONCURRENTLY mv_daily_features;
END
$$
"""

# The schema of the tables and no other, so that the function finds its view whoever calls it.
BIND = """
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION refresh_daily_features() SET search_path = %I, pg_temp', current_schema());
END $$
"""

VIEWS = {
    "mv_daily_features": "Valid feature values of the last 90 days, ranked in ticker, day and feature",
    "mv_feature_vectors": "All valid features of a ticker at one time, last 30 days, 10 features or more",
    "mv_model_performance": "Daily figures of models by horizon and type, last 90 days",
}

COLUMNS = {
    "mv_daily_features": {
        "ticker": "Trading symbol",
        "trade_date": "Day of the value, in UTC",
        "feature_id": "Feature (ml_feature_definitions.feature_id)",
        "value": "Value in the unit of the feature",
        "confidence_score": "Confidence, 0-1",
        "data_quality_score": "Quality of the input, 0-1",
        "source_provider": "Where the value comes from",
        "rank_latest": "1: the last value of the day, 2: the one before it",
    },
    "mv_feature_vectors": {
        "ticker": "Trading symbol",
        "timestamp": "Time of all the values",
        "feature_vector": "Feature name to value, confidence and quality",
        "feature_count": "Features in the vector, 10 or more",
        "avg_confidence": "Average confidence, 0-1",
        "min_quality": "Lowest quality, 0-1",
    },
    "mv_model_performance": {
        "model_id": "Model (ml_models.model_id)",
        "prediction_horizon": "How far ahead was predicted",
        "prediction_type": "price_target, direction, volatility or probability; decides the unit of the errors",
        "prediction_date": "Day of the predictions, in UTC",
        "total_predictions": "Predictions of the day",
        "predictions_with_actuals": "Predictions of which the outcome is known",
        "avg_confidence": "Average confidence of those, 0-1",
        "mean_absolute_error": "Mean size of the error, in the unit of the type",
        "rmse": "Root of the mean squared error, in the unit of the type",
        "direction_accuracy": "Share of right directions, 0-1; NULL: the type has none",
        "median_absolute_error": "Median size of the error, in the unit of the type",
        "p95_absolute_error": "95th percentile of the size of the error, in the unit of the type",
        "max_latency_ms": "Longest duration of a prediction, milliseconds",
        "avg_latency_ms": "Average duration of a prediction, milliseconds",
        "cache_hit_rate": "Share of predictions that came from the cache, 0-1",
    },
}


def upgrade() -> None:
    for statement in (DAILY, VECTORS, PERFORMANCE, REFRESH, BIND):
        op.execute(statement)
    for index in INDEXES:
        op.execute(f"CREATE {index}")
    op.execute(f"COMMENT ON FUNCTION refresh_daily_features() IS 'Refreshes the view beside readers; {FEATURES}'")
    for view, columns in COLUMNS.items():
        section = PREDICTIONS if view == "mv_model_performance" else FEATURES
        op.execute(f"COMMENT ON MATERIALIZED VIEW {view} IS '{VIEWS[view]}; {section}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN {view}.{column} IS '{meaning}; {section}'")


def downgrade() -> None:
    op.execute("DROP FUNCTION refresh_daily_features()")
    op.execute("DROP MATERIALIZED VIEW mv_model_performance")
    op.execute("DROP MATERIALIZED VIEW mv_feature_vectors")
    op.execute("DROP MATERIALIZED VIEW mv_daily_features")
