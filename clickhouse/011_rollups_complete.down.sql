-- description: Let go of the checks on what is left out of confidence per minute and use of models
ALTER TABLE model_performance
    DROP CONSTRAINT chk_latency_sum,
    DROP CONSTRAINT chk_confidence_sum,
    DROP CONSTRAINT chk_usage_count,
    DROP CONSTRAINT chk_hour_bucket,
    DROP CONSTRAINT chk_model,
    DROP CONSTRAINT chk_tenant_id,
    MODIFY COLUMN latency_sum REMOVE DEFAULT,
    MODIFY COLUMN confidence_sum REMOVE DEFAULT;

ALTER TABLE confidence_monitoring
    DROP CONSTRAINT chk_processing_time_sum,
    DROP CONSTRAINT chk_uncertainty_sum,
    DROP CONSTRAINT chk_confidence_sum,
    DROP CONSTRAINT chk_prediction_count,
    DROP CONSTRAINT chk_minute_bucket,
    DROP CONSTRAINT chk_symbol,
    DROP CONSTRAINT chk_tenant_id,
    MODIFY COLUMN processing_time_sum REMOVE DEFAULT,
    MODIFY COLUMN uncertainty_sum REMOVE DEFAULT,
    MODIFY COLUMN confidence_sum REMOVE DEFAULT;
