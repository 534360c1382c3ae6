CREATE TABLE model_feedback_events (
    feedback_id UUID,
    prediction_id UUID,
    timestamp DateTime64(3),
    symbol String,
    user_id UUID,

    -- Outcome comparison
    predicted_direction Enum8('BUY' = 1, 'SELL' = 2, 'HOLD' = 3),
    actual_direction Enum8('BUY' = 1, 'SELL' = 2, 'HOLD' = 3),
    predicted_confidence Float64,
    actual_return Float64,
    expected_return Float64,
    success Boolean,

    -- Error analysis
    prediction_error Float64,
    confidence_calibration_error Float64,
    impact_score Float64, -- How much this affects model training

    -- Learning updates triggered
    models_updated Array(String),
    update_magnitude Float64,
    retraining_triggered Boolean,

    -- Market context at time of feedback
    market_volatility Float64,
    market_regime String,

    tenant_id String
) ENGINE = MergeTree()
ORDER BY (tenant_id, timestamp, symbol)
PARTITION BY (tenant_id, toYYYYMM(timestamp))
SETTINGS index_granularity = 8192;
