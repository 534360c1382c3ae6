-- description: What became of each prediction, and what was learned from it
--
-- Carries tenant, symbol and time of the prediction, which are the key of trading_decisions_probabilistic: a join
-- on prediction_id alone reads that whole table.
CREATE TABLE model_feedback_events
(
    feedback_id UUID COMMENT 'feedback, unique in its tenant',
    prediction_id UUID COMMENT 'trading_decisions_probabilistic.id',
    prediction_timestamp DateTime64(3, 'UTC') COMMENT 'trading_decisions_probabilistic.timestamp, UTC, milliseconds',
    timestamp DateTime64(3, 'UTC') COMMENT 'when the feedback was given, UTC, milliseconds',
    symbol LowCardinality(String) COMMENT 'instrument of the prediction, as on its exchange',
    user_id UUID COMMENT 'user the prediction was for',

    predicted_direction Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2, 'HOLD' = 3)
        COMMENT 'what was predicted; UNKNOWN is refused',
    actual_direction Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2, 'HOLD' = 3)
        COMMENT 'what would have been right; UNKNOWN is refused',
    predicted_confidence Float64 DEFAULT nan COMMENT 'confidence of the prediction, 0 to 1',
    actual_return Float64 DEFAULT nan COMMENT 'return that was made, fraction: 0.01 is one per cent',
    expected_return Float64 DEFAULT nan COMMENT 'return that was predicted, fraction',
    success Nullable(Bool) COMMENT 'whether the prediction was right; NULL is refused, so that it cannot be left out',

    prediction_error Float64 DEFAULT nan COMMENT 'predicted less actual return, fraction',
    confidence_calibration_error Float64 DEFAULT nan COMMENT 'distance of confidence and outcome, 0 to 1',
    impact_score Float64 DEFAULT nan COMMENT 'weight of this event in training, 0 or more, no unit',

    models_updated Array(LowCardinality(String)) COMMENT 'names of the models that learned from it',
    update_magnitude Float64 DEFAULT 0 COMMENT 'size of the update, 0 or more, no unit; 0 is none',
    retraining_triggered Bool DEFAULT false COMMENT 'whether a training was started',

    market_volatility Float64 DEFAULT nan COMMENT 'volatility when the feedback was given, 0 or more, no unit',
    market_regime LowCardinality(String) COMMENT 'state of the market when the feedback was given',

    tenant_id LowCardinality(String) COMMENT 'tenant slug, the same text as in PostgreSQL',

    CONSTRAINT chk_feedback_id CHECK feedback_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT chk_prediction_id CHECK prediction_id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT chk_tenant_id CHECK tenant_id != '',
    CONSTRAINT chk_symbol CHECK symbol != '',
    CONSTRAINT chk_prediction_timestamp CHECK prediction_timestamp >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC'),
    CONSTRAINT chk_timestamp CHECK timestamp >= prediction_timestamp,
    CONSTRAINT chk_predicted_direction CHECK predicted_direction != 'UNKNOWN',
    CONSTRAINT chk_actual_direction CHECK actual_direction != 'UNKNOWN',
    CONSTRAINT chk_predicted_confidence CHECK predicted_confidence >= 0 AND predicted_confidence <= 1,
    CONSTRAINT chk_actual_return CHECK isFinite(actual_return),
    CONSTRAINT chk_expected_return CHECK isFinite(expected_return),
    CONSTRAINT chk_success CHECK isNotNull(success),
    CONSTRAINT chk_prediction_error CHECK isFinite(prediction_error),
    CONSTRAINT chk_confidence_calibration_error
        CHECK confidence_calibration_error >= 0 AND confidence_calibration_error <= 1,
    CONSTRAINT chk_impact_score CHECK isFinite(impact_score) AND impact_score >= 0,
    CONSTRAINT chk_update_magnitude CHECK isFinite(update_magnitude) AND update_magnitude >= 0,
    CONSTRAINT chk_market_volatility CHECK isFinite(market_volatility) AND market_volatility >= 0
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (tenant_id, symbol, timestamp, feedback_id)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Outcome of each prediction and the learning it caused; one row per feedback; read with FINAL for exact counts';
