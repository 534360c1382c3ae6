"""Function validate_probability_data()"""

from alembic import op

revision = "0019"
down_revision = "0018"

# BEGIN ATOMIC binds the tables when the function is made: no search_path can put others in their place.
# NaN is greater than 1, so NOT BETWEEN finds it; NULL is neither in nor out, so only IS NOT TRUE finds it.
FUNCTION = """
CREATE FUNCTION validate_probability_data()
RETURNS TABLE (validation_issue text, affected_records bigint, severity text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT v.* FROM (
        SELECT
            count(*) FILTER (WHERE aggregated_confidence NOT BETWEEN 0 AND 1) AS confidence,
            count(*) FILTER (WHERE uncertainty_score NOT BETWEEN 0 AND 1) AS uncertainty,
            count(*) FILTER (WHERE aggregated_confidence IS NULL OR uncertainty_score IS NULL) AS uncomputed,
            count(*) FILTER (WHERE coalesce(probability_metadata, 'null') IN ('null', '{}')) AS unexplained
        FROM trading_decisions
    ) d CROSS JOIN LATERAL (VALUES
        ('trading_decisions.aggregated_confidence outside 0-1', d.confidence, 'HIGH'),
        ('trading_decisions.uncertainty_score outside 0-1', d.uncertainty, 'HIGH'),
        ('trading_decisions without confidence or uncertainty', d.uncomputed, 'MEDIUM'),
        ('trading_decisions without probability_metadata', d.unexplained, 'MEDIUM')
    ) v
    UNION ALL
    SELECT v.* FROM (
        SELECT
            count(*) FILTER (WHERE accuracy NOT BETWEEN 0 AND 1) AS accuracy,
            count(*) FILTER (WHERE calibration_score NOT BETWEEN 0 AND 1) AS calibration,
            count(*) FILTER (WHERE brier_score NOT BETWEEN 0 AND 1) AS brier
        FROM probabilistic_models
    ) m CROSS JOIN LATERAL (VALUES
        ('probabilistic_models.accuracy outside 0-1', m.accuracy, 'HIGH'),
        ('probabilistic_models.calibration_score outside 0-1', m.calibration, 'HIGH'),
        ('probabilistic_models.brier_score outside 0-1', m.brier, 'HIGH')
    ) v
    UNION ALL
    SELECT v.* FROM (
        SELECT
            count(*) FILTER (WHERE (risk_tolerance BETWEEN 0 AND 1) IS NOT TRUE) AS risk,
            count(*) FILTER (WHERE (confidence_threshold BETWEEN 0 AND 1) IS NOT TRUE) AS confidence,
            count(*) FILTER (WHERE (uncertainty_tolerance BETWEEN 0 AND 1) IS NOT TRUE) AS uncertainty,
            count(*) FILTER (WHERE (learning_rate BETWEEN 0 AND 1) IS NOT TRUE) AS learning,
            count(*) FILTER (WHERE (adaptation_sensitivity BETWEEN 0 AND 1) IS NOT TRUE) AS sensitivity,
            count(*) FILTER (WHERE (memory_decay_factor BETWEEN 0 AND 1) IS NOT TRUE) AS memory,
            count(*) FILTER (WHERE (confidence_alert_threshold BETWEEN 0 AND 1) IS NOT TRUE) AS alert,
            count(*) FILTER (WHERE (uncertainty_warning_threshold BETWEEN 0 AND 1) IS NOT TRUE) AS warning
        FROM user_probability_preferences
    ) p CROSS JOIN LATERAL (VALUES
        ('user_probability_preferences.risk_tolerance missing or outside 0-1', p.risk, 'HIGH'),
        ('user_probability_preferences.confidence_threshold missing or outside 0-1', p.confidence, 'HIGH'),
        ('user_probability_preferences.uncertainty_tolerance missing or outside 0-1', p.uncertainty, 'HIGH'),
        ('user_probability_preferences.learning_rate missing or outside 0-1', p.learning, 'HIGH'),
        ('user_probability_preferences.adaptation_sensitivity missing or outside 0-1', p.sensitivity, 'HIGH'),
        ('user_probability_preferences.memory_decay_factor missing or outside 0-1', p.memory, 'HIGH'),
        ('user_probability_preferences.confidence_alert_threshold missing or outside 0-1', p.alert, 'HIGH'),
        ('user_probability_preferences.uncertainty_warning_threshold missing or outside 0-1', p.warning, 'HIGH')
    ) v;
END
"""

COMMENT = """
COMMENT ON FUNCTION validate_probability_data() IS
'One row for each check with the number of rows that fail it, 0 included; severity HIGH or MEDIUM; D2 §6.2.
Each table is read once. Run by its owner it covers every tenant, run by a tenant the rows that tenant can see.'
"""


def upgrade() -> None:
    op.execute(FUNCTION)
    op.execute(COMMENT)


def downgrade() -> None:
    op.execute("DROP FUNCTION validate_probability_data()")
