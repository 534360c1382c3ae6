CREATE TABLE probabilistic_performance_analytics (
    date Date,
    symbol String,
    user_id UUID,

    -- Daily performance summary
    total_predictions UInt32,
    successful_predictions UInt32,
    accuracy_rate Float64,

    -- Confidence analysis
    avg_confidence Float64,
    avg_uncertainty Float64,
    confidence_calibration Float64,

    -- Return analysis
    total_return Float64,
    confidence_weighted_return Float64,
    max_drawdown Float64,
    sharpe_ratio Float64,

    -- Risk metrics
    avg_position_size Float64,
    risk_adjusted_return Float64,
    uncertainty_penalty_total Float64,

    tenant_id String
) ENGINE = SummingMergeTree()
ORDER BY (tenant_id, date, symbol, user_id)
PARTITION BY (tenant_id, toYYYYMM(date))
SETTINGS index_granularity = 8192;
