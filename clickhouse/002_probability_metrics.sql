-- description: Live probability metrics, kept for 30 days
--
-- One partition per day, so that the TTL drops whole parts and never rewrites one.
-- toDateTime() because servers before 25.7 refuse a TTL on DateTime64.
CREATE TABLE probability_metrics_realtime
(
    timestamp DateTime64(3, 'UTC') COMMENT 'when the metric was taken, UTC, milliseconds',
    symbol LowCardinality(String) COMMENT 'instrument, as on its exchange',
    service_name LowCardinality(String) COMMENT 'ml-supervised, ml-deep-learning or probabilistic-learning',
    user_id UUID COMMENT 'user the prediction was for',

    layer_type Enum8('UNKNOWN' = 0, 'indicator' = 1, 'ensemble' = 2, 'meta' = 3, 'adaptive' = 4)
        COMMENT 'layer that was measured, the model types of PostgreSQL; UNKNOWN is refused',
    layer_confidence Float64 DEFAULT nan COMMENT 'confidence of the layer, 0 to 1',
    layer_uncertainty Float64 DEFAULT nan COMMENT 'uncertainty of the layer, 0 to 1',

    prediction_accuracy Float64 DEFAULT nan COMMENT 'share of correct predictions, 0 to 1',
    calibration_score Float64 DEFAULT nan COMMENT 'agreement of confidence and outcome, 0 to 1',
    processing_time_ms UInt32 COMMENT 'time spent in the layer, milliseconds',

    model_version LowCardinality(String) COMMENT 'version of the model that was measured',
    last_training_update DateTime64(3, 'UTC') COMMENT 'when that model was last trained, UTC, milliseconds',

    tenant_id LowCardinality(String) COMMENT 'tenant slug, the same text as in PostgreSQL',

    CONSTRAINT chk_tenant_id CHECK tenant_id != '',
    CONSTRAINT chk_symbol CHECK symbol != '',
    CONSTRAINT chk_timestamp CHECK timestamp >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC'),
    CONSTRAINT chk_layer_type CHECK layer_type != 'UNKNOWN',
    CONSTRAINT chk_layer_confidence CHECK layer_confidence >= 0 AND layer_confidence <= 1,
    CONSTRAINT chk_layer_uncertainty CHECK layer_uncertainty >= 0 AND layer_uncertainty <= 1,
    CONSTRAINT chk_prediction_accuracy CHECK prediction_accuracy >= 0 AND prediction_accuracy <= 1,
    CONSTRAINT chk_calibration_score CHECK calibration_score >= 0 AND calibration_score <= 1
)
ENGINE = MergeTree
PARTITION BY toYYYYMMDD(timestamp)
ORDER BY (tenant_id, timestamp, service_name, symbol)
TTL toDateTime(timestamp) + INTERVAL 30 DAY
SETTINGS index_granularity = 4096, ttl_only_drop_parts = 1, non_replicated_deduplication_window = 100
COMMENT 'Probability metrics per layer for live monitoring; kept for 30 days';
