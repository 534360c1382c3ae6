CREATE TABLE trading_decisions_probabilistic (
    id UUID,
    timestamp DateTime64(3),
    symbol String,
    decision Enum8('BUY' = 1, 'SELL' = 2, 'HOLD' = 3),
    user_id UUID,

    -- Multi-Layer Probability Data
    indicator_probabilities Array(Tuple(String, Float64, Float64, Float64)), -- (indicator, confidence, probability, reliability)
    ensemble_probability Float64,
    meta_validation_score Float64,

    -- Confidence Metrics
    aggregated_confidence Float64,
    epistemic_uncertainty Float64,  -- Model uncertainty
    aleatoric_uncertainty Float64,  -- Data uncertainty
    consensus_strength Float64,     -- Agreement between models
    divergence_score Float64,       -- Disagreement level

    -- Risk Metrics with Confidence
    position_size Float64,
    confidence_adjusted_size Float64,
    risk_level String,
    max_drawdown_estimate Float64,
    uncertainty_penalty Float64,

    -- Performance Prediction
    expected_return Float64,
    confidence_interval_lower Float64,
    confidence_interval_upper Float64,
    probability_success Float64,

    -- Model and Context Metadata
    model_versions Array(Tuple(String, String)), -- (model_name, version)
    market_regime String,
    volatility_score Float64,

    -- Execution Tracking
    execution_latency_ms UInt32,
    probability_calculation_time_ms UInt32,

    -- Multi-tenant support
    tenant_id String
) ENGINE = MergeTree()
ORDER BY (tenant_id, symbol, timestamp)
PARTITION BY (tenant_id, toYYYYMM(timestamp))
SETTINGS index_granularity = 8192;
