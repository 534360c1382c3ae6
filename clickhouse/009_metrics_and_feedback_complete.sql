-- description: What a writer leaves out of metrics and feedback is refused
--
-- A column without a default gets one that no writer means (NaN, the greatest number, an empty name), and a check
-- refuses it. A list may be empty if the writer says so. What PostgreSQL refuses is refused here: a tenant that is no
-- slug, a symbol in small letters, a size below zero, a time to come. Rows that are there stay as they are.
ALTER TABLE probability_metrics_realtime
    MODIFY COLUMN processing_time_ms DEFAULT 4294967295,
    ADD CONSTRAINT chk_tenant_slug CHECK match(tenant_id, '\\A[a-z0-9][a-z0-9_-]{0,62}\\z'),
    ADD CONSTRAINT chk_symbol_capitals CHECK match(symbol, '\\A[^a-z\\s]+\\z'),
    ADD CONSTRAINT chk_timestamp_past CHECK timestamp <= now64(3) + INTERVAL 1 DAY,
    ADD CONSTRAINT chk_user_id CHECK user_id != toUUID('00000000-0000-0000-0000-000000000000'),
    ADD CONSTRAINT chk_service_name CHECK service_name != '',
    ADD CONSTRAINT chk_model_version CHECK model_version != '',
    ADD CONSTRAINT chk_processing_time_ms CHECK processing_time_ms != 4294967295,
    ADD CONSTRAINT chk_last_training_update CHECK last_training_update >= toDateTime64('2000-01-01 00:00:00', 3, 'UTC');

ALTER TABLE model_feedback_events
    MODIFY COLUMN models_updated DEFAULT [''],
    ADD CONSTRAINT chk_tenant_slug CHECK match(tenant_id, '\\A[a-z0-9][a-z0-9_-]{0,62}\\z'),
    ADD CONSTRAINT chk_symbol_capitals CHECK match(symbol, '\\A[^a-z\\s]+\\z'),
    ADD CONSTRAINT chk_timestamp_past CHECK timestamp <= now64(3) + INTERVAL 1 DAY,
    ADD CONSTRAINT chk_user_id CHECK user_id != toUUID('00000000-0000-0000-0000-000000000000'),
    ADD CONSTRAINT chk_models_updated CHECK NOT has(models_updated, ''),
    ADD CONSTRAINT chk_market_regime CHECK market_regime != '';
