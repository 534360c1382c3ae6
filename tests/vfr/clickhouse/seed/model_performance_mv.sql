CREATE MATERIALIZED VIEW model_performance_mv
ENGINE = AggregatingMergeTree()
ORDER BY (tenant_id, model_name, hour_bucket)
AS SELECT
    tenant_id,
    arrayJoin(model_versions).1 as model_name,
    toStartOfHour(timestamp) as hour_bucket,
    avgState(aggregated_confidence) as avg_confidence,
    countState() as usage_count,
    avgState(execution_latency_ms) as avg_latency
FROM trading_decisions_probabilistic
GROUP BY tenant_id, model_name, hour_bucket;
