-- description: Skip indexes for look-ups that the sort keys do not serve
--
-- An index holds for parts written from now on. For older parts run ALTER TABLE … MATERIALIZE INDEX when the load
-- allows it.
ALTER TABLE trading_decisions_probabilistic
    ADD INDEX idx_prob_decisions_id id TYPE bloom_filter(0.01) GRANULARITY 1,
    ADD INDEX idx_prob_decisions_confidence_time (aggregated_confidence, timestamp) TYPE minmax GRANULARITY 1,
    ADD INDEX idx_prob_decisions_symbol symbol TYPE set(1000) GRANULARITY 4,
    ADD INDEX idx_prob_decisions_uncertainty epistemic_uncertainty TYPE minmax GRANULARITY 1;

ALTER TABLE model_feedback_events
    ADD INDEX idx_feedback_prediction_id prediction_id TYPE bloom_filter(0.01) GRANULARITY 1;
