-- description: Let go of the checks on what is left out of the decisions
ALTER TABLE trading_decisions_probabilistic
    DROP CONSTRAINT chk_probability_calculation_time_ms,
    DROP CONSTRAINT chk_execution_latency_ms,
    DROP CONSTRAINT chk_market_regime,
    DROP CONSTRAINT chk_risk_level,
    DROP CONSTRAINT chk_sizes,
    DROP CONSTRAINT chk_model_versions,
    DROP CONSTRAINT chk_indicator_names,
    DROP CONSTRAINT chk_user_id,
    DROP CONSTRAINT chk_timestamp_past,
    DROP CONSTRAINT chk_symbol_capitals,
    DROP CONSTRAINT chk_tenant_slug,
    MODIFY COLUMN probability_calculation_time_ms REMOVE DEFAULT,
    MODIFY COLUMN execution_latency_ms REMOVE DEFAULT,
    MODIFY COLUMN model_versions REMOVE DEFAULT,
    MODIFY COLUMN indicator_probabilities REMOVE DEFAULT;
