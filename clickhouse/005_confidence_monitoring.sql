-- description: Confidence per minute, kept up by a materialized view
--
-- The rows lie in a table of their own (TO), so that the view can be replaced without losing them. It holds sums and
-- counts, which any client can read: the average confidence is sum(confidence_sum) / sum(prediction_count).
-- Only decisions written after the view exists are counted.
CREATE TABLE confidence_monitoring
(
    tenant_id LowCardinality(String) COMMENT 'tenant slug, the same text as in PostgreSQL',
    symbol LowCardinality(String) COMMENT 'instrument, as on its exchange',
    minute_bucket DateTime('UTC') COMMENT 'start of the minute, UTC',
    prediction_count SimpleAggregateFunction(sum, UInt64) COMMENT 'decisions, count',
    confidence_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of aggregated_confidence, each 0 to 1',
    uncertainty_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of epistemic_uncertainty, each 0 to 1',
    processing_time_sum SimpleAggregateFunction(sum, UInt64)
        COMMENT 'sum of probability_calculation_time_ms, milliseconds'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(minute_bucket)
ORDER BY (tenant_id, symbol, minute_bucket)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Confidence of the decisions of a minute, as sums and counts; average: sum(x_sum) / sum(prediction_count)';

CREATE MATERIALIZED VIEW confidence_monitoring_mv TO confidence_monitoring AS
SELECT
    tenant_id,
    symbol,
    toStartOfMinute(timestamp) AS minute_bucket,
    count() AS prediction_count,
    sum(aggregated_confidence) AS confidence_sum,
    sum(epistemic_uncertainty) AS uncertainty_sum,
    sum(probability_calculation_time_ms) AS processing_time_sum
FROM trading_decisions_probabilistic
GROUP BY tenant_id, symbol, minute_bucket
COMMENT 'Feeds confidence_monitoring from trading_decisions_probabilistic';
