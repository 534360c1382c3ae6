CREATE MATERIALIZED VIEW confidence_monitoring_mv
ENGINE = AggregatingMergeTree()
ORDER BY (tenant_id, symbol, minute_bucket)
AS SELECT
    tenant_id,
    symbol,
    toStartOfMinute(timestamp) as minute_bucket,
    avgState(aggregated_confidence) as avg_confidence,
    avgState(epistemic_uncertainty) as avg_uncertainty,
    countState() as prediction_count,
    avgState(probability_calculation_time_ms) as avg_processing_time
FROM trading_decisions_probabilistic
GROUP BY tenant_id, symbol, minute_bucket;
