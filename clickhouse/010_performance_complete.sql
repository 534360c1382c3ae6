-- description: What a writer leaves out of daily performance is refused
--
-- A column without a default gets one that no writer means (NaN, the greatest number, an empty name), and a check
-- refuses it. A list may be empty if the writer says so. What PostgreSQL refuses is refused here: a tenant that is no
-- slug, a symbol in small letters, a size below zero, a time to come. Rows that are there stay as they are.
ALTER TABLE probabilistic_performance_analytics
    MODIFY COLUMN successful_predictions DEFAULT 18446744073709551615,
    MODIFY COLUMN confidence_sum DEFAULT nan,
    MODIFY COLUMN uncertainty_sum DEFAULT nan,
    MODIFY COLUMN calibration_sum DEFAULT nan,
    MODIFY COLUMN return_sum DEFAULT nan,
    MODIFY COLUMN return_squared_sum DEFAULT nan,
    MODIFY COLUMN confidence_weighted_return_sum DEFAULT nan,
    MODIFY COLUMN max_drawdown DEFAULT nan,
    MODIFY COLUMN position_size_sum DEFAULT nan,
    MODIFY COLUMN risk_adjusted_return_sum DEFAULT nan,
    MODIFY COLUMN uncertainty_penalty_total DEFAULT nan,
    ADD CONSTRAINT chk_tenant_slug CHECK match(tenant_id, '\\A[a-z0-9][a-z0-9_-]{0,62}\\z'),
    ADD CONSTRAINT chk_symbol_capitals CHECK match(symbol, '\\A[^a-z\\s]+\\z'),
    ADD CONSTRAINT chk_date_past CHECK date <= today() + 1,
    ADD CONSTRAINT chk_user_id CHECK user_id != toUUID('00000000-0000-0000-0000-000000000000'),
    ADD CONSTRAINT chk_position_size_sum_positive CHECK position_size_sum >= 0;
