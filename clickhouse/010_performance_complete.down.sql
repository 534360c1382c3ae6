-- description: Let go of the checks on what is left out of daily performance
ALTER TABLE probabilistic_performance_analytics
    DROP CONSTRAINT chk_position_size_sum_positive,
    DROP CONSTRAINT chk_user_id,
    DROP CONSTRAINT chk_date_past,
    DROP CONSTRAINT chk_symbol_capitals,
    DROP CONSTRAINT chk_tenant_slug,
    MODIFY COLUMN uncertainty_penalty_total REMOVE DEFAULT,
    MODIFY COLUMN risk_adjusted_return_sum REMOVE DEFAULT,
    MODIFY COLUMN position_size_sum REMOVE DEFAULT,
    MODIFY COLUMN max_drawdown REMOVE DEFAULT,
    MODIFY COLUMN confidence_weighted_return_sum REMOVE DEFAULT,
    MODIFY COLUMN return_squared_sum REMOVE DEFAULT,
    MODIFY COLUMN return_sum REMOVE DEFAULT,
    MODIFY COLUMN calibration_sum REMOVE DEFAULT,
    MODIFY COLUMN uncertainty_sum REMOVE DEFAULT,
    MODIFY COLUMN confidence_sum REMOVE DEFAULT,
    MODIFY COLUMN successful_predictions REMOVE DEFAULT;
