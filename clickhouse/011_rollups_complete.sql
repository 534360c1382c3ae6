-- description: What a writer leaves out of confidence per minute and use of models is refused
--
-- A column without a default gets one that no writer means (NaN, the greatest number, an empty name), and a check
-- refuses it. A list may be empty if the writer says so. What PostgreSQL refuses is refused here: a tenant that is no
-- slug, a symbol in small letters, a size below zero, a time to come. Rows that are there stay as they are.
ALTER TABLE confidence_monitoring
    MODIFY COLUMN confidence_sum DEFAULT nan,
    MODIFY COLUMN uncertainty_sum DEFAULT nan,
    MODIFY COLUMN processing_time_sum DEFAULT 18446744073709551615,
    ADD CONSTRAINT chk_tenant_id CHECK tenant_id != '',
    ADD CONSTRAINT chk_symbol CHECK symbol != '',
    ADD CONSTRAINT chk_minute_bucket CHECK minute_bucket >= toDateTime('2000-01-01 00:00:00', 'UTC'),
    ADD CONSTRAINT chk_prediction_count CHECK prediction_count > 0,
    ADD CONSTRAINT chk_confidence_sum CHECK isFinite(confidence_sum) AND confidence_sum >= 0,
    ADD CONSTRAINT chk_uncertainty_sum CHECK isFinite(uncertainty_sum) AND uncertainty_sum >= 0,
    ADD CONSTRAINT chk_processing_time_sum CHECK processing_time_sum != 18446744073709551615;

ALTER TABLE model_performance
    MODIFY COLUMN confidence_sum DEFAULT nan,
    MODIFY COLUMN latency_sum DEFAULT 18446744073709551615,
    ADD CONSTRAINT chk_tenant_id CHECK tenant_id != '',
    ADD CONSTRAINT chk_model CHECK (model_name = '') = (model_version = ''),
    ADD CONSTRAINT chk_hour_bucket CHECK hour_bucket >= toDateTime('2000-01-01 00:00:00', 'UTC'),
    ADD CONSTRAINT chk_usage_count CHECK usage_count > 0,
    ADD CONSTRAINT chk_confidence_sum CHECK isFinite(confidence_sum) AND confidence_sum >= 0,
    ADD CONSTRAINT chk_latency_sum CHECK latency_sum != 18446744073709551615;
