-- description: Remove the skip indexes
ALTER TABLE model_feedback_events
    DROP INDEX idx_feedback_prediction_id;

ALTER TABLE trading_decisions_probabilistic
    DROP INDEX idx_prob_decisions_uncertainty,
    DROP INDEX idx_prob_decisions_symbol,
    DROP INDEX idx_prob_decisions_confidence_time,
    DROP INDEX idx_prob_decisions_id;
