-- description: What a writer leaves out of the decisions is refused
--
-- A column without a default gets one that no writer means (NaN, the greatest number, an empty name), and a check
-- refuses it. A list may be empty if the writer says so. What PostgreSQL refuses is refused here: a tenant that is no
-- slug, a symbol in small letters, a size below zero, a time to come. Rows that are there stay as they are.
ALTER TABLE trading_decisions_probabilistic
    MODIFY COLUMN indicator_probabilities DEFAULT [('', nan, nan, nan)],
    MODIFY COLUMN model_versions DEFAULT [('', '')],
    MODIFY COLUMN execution_latency_ms DEFAULT 4294967295,
    MODIFY COLUMN probability_calculation_time_ms DEFAULT 4294967295,
    ADD CONSTRAINT chk_tenant_slug CHECK match(tenant_id, '\\A[a-z0-9][a-z0-9_-]{0,62}\\z'),
    ADD CONSTRAINT chk_symbol_capitals CHECK match(symbol, '\\A[^a-z\\s]+\\z'),
    ADD CONSTRAINT chk_timestamp_past CHECK timestamp <= now64(3) + INTERVAL 1 DAY,
    ADD CONSTRAINT chk_user_id CHECK user_id != toUUID('00000000-0000-0000-0000-000000000000'),
    ADD CONSTRAINT chk_indicator_names CHECK arrayAll(p -> p.1 != '', indicator_probabilities),
    ADD CONSTRAINT chk_model_versions CHECK arrayAll(m -> m.1 != '' AND m.2 != '', model_versions),
    ADD CONSTRAINT chk_sizes CHECK position_size >= 0 AND confidence_adjusted_size >= 0,
    ADD CONSTRAINT chk_risk_level CHECK risk_level != '',
    ADD CONSTRAINT chk_market_regime CHECK market_regime != '',
    ADD CONSTRAINT chk_execution_latency_ms CHECK execution_latency_ms != 4294967295,
    ADD CONSTRAINT chk_probability_calculation_time_ms CHECK probability_calculation_time_ms != 4294967295;
