-- description: Let go of the checks on what is left out of metrics and feedback
ALTER TABLE model_feedback_events
    DROP CONSTRAINT chk_market_regime,
    DROP CONSTRAINT chk_models_updated,
    DROP CONSTRAINT chk_user_id,
    DROP CONSTRAINT chk_timestamp_past,
    DROP CONSTRAINT chk_symbol_capitals,
    DROP CONSTRAINT chk_tenant_slug,
    MODIFY COLUMN models_updated REMOVE DEFAULT;

ALTER TABLE probability_metrics_realtime
    DROP CONSTRAINT chk_last_training_update,
    DROP CONSTRAINT chk_processing_time_ms,
    DROP CONSTRAINT chk_model_version,
    DROP CONSTRAINT chk_service_name,
    DROP CONSTRAINT chk_user_id,
    DROP CONSTRAINT chk_timestamp_past,
    DROP CONSTRAINT chk_symbol_capitals,
    DROP CONSTRAINT chk_tenant_slug,
    MODIFY COLUMN processing_time_ms REMOVE DEFAULT;
