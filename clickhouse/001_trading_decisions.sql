-- description: Trading decisions with the probabilities behind them
-- requires: postgres/0001, postgres/0003
--
-- One row per decision. Partitioned by month alone: a partition per tenant breaks inserts that span many tenants.
-- A value that a writer leaves out is refused, never stored as a plausible one: enums start at UNKNOWN and numbers
-- at NaN, and the constraints refuse both.
-- A retried insert of values is dropped here and in every table fed from here (non_replicated_deduplication_window).
CREATE TABLE trading_decisions_probabilistic
(
    id UUID COMMENT 'decision, unique in its tenant',
    timestamp DateTime64(3, 'UTC') COMMENT 'when the decision was made, UTC, milliseconds',
    symbol LowCardinality(String) COMMENT 'instrument, as on its exchange',
    decision Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2, 'HOLD' = 3) COMMENT 'what to do; UNKNOWN is refused',
    user_id UUID COMMENT 'user the decision is for',

    indicator_probabilities Array(Tuple(String, Float64, Float64, Float64))
        COMMENT '(indicator, confidence, probability, reliability) each; the last three 0 to 1',
    ensemble_probability Float64 DEFAULT nan COMMENT 'probability given by the ensemble, 0 to 1',
    meta_validation_score Float64 DEFAULT nan COMMENT 'score of the meta validator, 0 to 1',

    aggregated_confidence Float64 DEFAULT nan COMMENT 'confidence over all layers, 0 to 1',
    epistemic_uncertainty Float64 DEFAULT nan COMMENT 'uncertainty of the models, 0 to 1',
    aleatoric_uncertainty Float64 DEFAULT nan COMMENT 'uncertainty of the input, 0 to 1',
    consensus_strength Float64 DEFAULT nan COMMENT 'agreement between models, 0 to 1',
    divergence_score Float64 DEFAULT nan COMMENT 'disagreement between models, 0 to 1',

    position_size Float64 DEFAULT nan COMMENT 'size before confidence is applied, units of the instrument',
    confidence_adjusted_size Float64 DEFAULT nan COMMENT 'size after confidence is applied, units of the instrument',
    risk_level LowCardinality(String) COMMENT 'risk class, for example low, medium, high',
    max_drawdown_estimate Float64 DEFAULT nan COMMENT 'expected worst loss from a peak, fraction 0 to 1',
    uncertainty_penalty Float64 DEFAULT nan COMMENT 'deduction for uncertainty, 0 or more, no unit',

    expected_return Float64 DEFAULT nan COMMENT 'expected return, fraction: 0.01 is one per cent',
    confidence_interval_lower Float64 DEFAULT nan COMMENT 'lower end of the interval of the return, fraction',
    confidence_interval_upper Float64 DEFAULT nan COMMENT 'upper end of the interval of the return, fraction',
    probability_success Float64 DEFAULT nan COMMENT 'probability that the decision pays, 0 to 1',

    model_versions Array(Tuple(String, String)) COMMENT '(model name, version) of each model that took part',
    market_regime LowCardinality(String) COMMENT 'state of the market, for example trending',
    volatility_score Float64 DEFAULT nan COMMENT 'volatility of the instrument, 0 or more, no unit',

    execution_latency_ms UInt32 COMMENT 'from decision to order, milliseconds',
    probability_calculation_time_ms UInt32 COMMENT 'time spent on the probabilities, milliseconds',

    tenant_id LowCardinality(String) COMMENT 'tenant slug, the same text as in PostgreSQL',

    CONSTRAINT chk_id CHECK id != toUUID('00000000-0000-0000-0000-000000000000'),
    CONSTRAINT chk_tenant_id CHECK tenant_id != '',
    CONSTRAINT chk_symbol CHECK symbol != '',
    CONSTRAINT chk_timestamp CHECK timestamp >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC'),
    CONSTRAINT chk_decision CHECK decision != 'UNKNOWN',
    CONSTRAINT chk_indicator_probabilities CHECK arrayAll(
        p -> p.2 >= 0 AND p.2 <= 1 AND p.3 >= 0 AND p.3 <= 1 AND p.4 >= 0 AND p.4 <= 1, indicator_probabilities),
    CONSTRAINT chk_ensemble_probability CHECK ensemble_probability >= 0 AND ensemble_probability <= 1,
    CONSTRAINT chk_meta_validation_score CHECK meta_validation_score >= 0 AND meta_validation_score <= 1,
    CONSTRAINT chk_aggregated_confidence CHECK aggregated_confidence >= 0 AND aggregated_confidence <= 1,
    CONSTRAINT chk_epistemic_uncertainty CHECK epistemic_uncertainty >= 0 AND epistemic_uncertainty <= 1,
    CONSTRAINT chk_aleatoric_uncertainty CHECK aleatoric_uncertainty >= 0 AND aleatoric_uncertainty <= 1,
    CONSTRAINT chk_consensus_strength CHECK consensus_strength >= 0 AND consensus_strength <= 1,
    CONSTRAINT chk_divergence_score CHECK divergence_score >= 0 AND divergence_score <= 1,
    CONSTRAINT chk_position_size CHECK isFinite(position_size),
    CONSTRAINT chk_confidence_adjusted_size CHECK isFinite(confidence_adjusted_size),
    CONSTRAINT chk_max_drawdown_estimate CHECK max_drawdown_estimate >= 0 AND max_drawdown_estimate <= 1,
    CONSTRAINT chk_uncertainty_penalty CHECK isFinite(uncertainty_penalty) AND uncertainty_penalty >= 0,
    CONSTRAINT chk_expected_return CHECK isFinite(expected_return),
    CONSTRAINT chk_confidence_interval CHECK isFinite(confidence_interval_lower) AND isFinite(confidence_interval_upper)
        AND confidence_interval_lower <= confidence_interval_upper,
    CONSTRAINT chk_probability_success CHECK probability_success >= 0 AND probability_success <= 1,
    CONSTRAINT chk_volatility_score CHECK isFinite(volatility_score) AND volatility_score >= 0
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(timestamp)
ORDER BY (tenant_id, symbol, timestamp, id)
SETTINGS non_replicated_deduplication_window = 100
COMMENT 'Trading decisions with the probabilities behind them; one row per decision; read with FINAL for exact counts';
