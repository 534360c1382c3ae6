CREATE TABLE probability_metrics_realtime (
    timestamp DateTime64(3),
    symbol String,
    service_name String, -- 'ml-supervised', 'ml-deep-learning', 'probabilistic-learning'
    user_id UUID,

    -- Layer-specific probabilities
    layer_type Enum8('indicator' = 1, 'ensemble' = 2, 'meta' = 3),
    layer_confidence Float64,
    layer_uncertainty Float64,

    -- Performance metrics
    prediction_accuracy Float64,
    calibration_score Float64,
    processing_time_ms UInt32,

    -- Model state
    model_version String,
    last_training_update DateTime64(3),

    tenant_id String
) ENGINE = MergeTree()
ORDER BY (tenant_id, timestamp, service_name)
PARTITION BY (tenant_id, toYYYYMM(timestamp))
TTL timestamp + INTERVAL 30 DAY
SETTINGS index_granularity = 4096;
