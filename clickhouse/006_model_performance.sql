-- description: Use of each model version per hour, kept up by a materialized view
-- requires: postgres/0004
--
-- The version is part of the key: without it a decision made by two versions of a model counts twice for the model.
-- A decision that names no model is counted under the empty name, so that the totals agree with the decisions.
-- Only decisions written after the view exists are counted.
CREATE TABLE model_performance
(
    tenant_id LowCardinality(String) COMMENT 'tenant slug, the same text as in PostgreSQL',
    model_name LowCardinality(String) COMMENT 'model, probabilistic_models.model_name in PostgreSQL; empty is none',
    model_version LowCardinality(String) COMMENT 'its version, probabilistic_models.version in PostgreSQL',
    hour_bucket DateTime('UTC') COMMENT 'start of the hour, UTC',
    usage_count SimpleAggregateFunction(sum, UInt64) COMMENT 'decisions the version took part in, count',
    confidence_sum SimpleAggregateFunction(sum, Float64) COMMENT 'sum of aggregated_confidence, each 0 to 1',
    latency_sum SimpleAggregateFunction(sum, UInt64) COMMENT 'sum of execution_latency_ms, milliseconds'
)
ENGINE = AggregatingMergeTree
PARTITION BY toYYYYMM(hour_bucket)
ORDER BY (tenant_id, model_name, model_version, hour_bucket)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Use of each model version in an hour, as sums and counts; average: sum(x_sum) / sum(usage_count)';

CREATE MATERIALIZED VIEW model_performance_mv TO model_performance AS
SELECT
    tenant_id,
    used.1 AS model_name,
    used.2 AS model_version,
    toStartOfHour(timestamp) AS hour_bucket,
    count() AS usage_count,
    sum(aggregated_confidence) AS confidence_sum,
    sum(execution_latency_ms) AS latency_sum
FROM trading_decisions_probabilistic
LEFT ARRAY JOIN arrayDistinct(model_versions) AS used
GROUP BY tenant_id, model_name, model_version, hour_bucket
COMMENT 'Feeds model_performance from trading_decisions_probabilistic';
