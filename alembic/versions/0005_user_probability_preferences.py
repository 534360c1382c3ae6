"""User probability preferences"""

from alembic import op

revision = "0005"
down_revision = "0004"

TABLE = """
CREATE TABLE user_probability_preferences (
    user_id                        uuid           PRIMARY KEY,
    tenant_id                      text           NOT NULL,

    risk_tolerance                 numeric(5,4)   NOT NULL DEFAULT 0.5,
    confidence_threshold           numeric(5,4)   NOT NULL DEFAULT 0.7,
    uncertainty_tolerance          numeric(5,4)   NOT NULL DEFAULT 0.3,

    preferred_indicators           text[],
    indicator_weights              jsonb,
    ensemble_method                varchar(50)    NOT NULL DEFAULT 'weighted_average',

    learning_rate                  numeric(10,8)  NOT NULL DEFAULT 0.001,
    adaptation_sensitivity         numeric(5,4)   NOT NULL DEFAULT 0.5,
    memory_decay_factor            numeric(5,4)   NOT NULL DEFAULT 0.95,

    confidence_alert_threshold     numeric(5,4)   NOT NULL DEFAULT 0.9,
    uncertainty_warning_threshold  numeric(5,4)   NOT NULL DEFAULT 0.6,
    feedback_frequency             varchar(20)    NOT NULL DEFAULT 'daily',

    track_calibration              boolean        NOT NULL DEFAULT true,
    track_feature_importance       boolean        NOT NULL DEFAULT true,
    enable_auto_retraining         boolean        NOT NULL DEFAULT true,

    created_at                     timestamptz    NOT NULL DEFAULT now(),
    updated_at                     timestamptz    NOT NULL DEFAULT now(),

    CONSTRAINT fk_user_probability_preferences_user
        FOREIGN KEY (tenant_id, user_id) REFERENCES users (tenant_id, id) ON DELETE CASCADE,

    CONSTRAINT chk_ensemble_method
        CHECK (ensemble_method IN ('simple_average', 'weighted_average', 'voting')),
    CONSTRAINT chk_feedback_frequency
        CHECK (feedback_frequency IN ('real-time', 'hourly', 'daily', 'weekly')),
    CONSTRAINT chk_indicator_weights
        CHECK (jsonb_typeof(indicator_weights) = 'object' AND NOT jsonb_path_exists(
            indicator_weights, 'strict $.* ? (@.type() != "number" || @ < 0 || @ > 1)', silent => true)),

    CONSTRAINT chk_risk_tolerance CHECK (risk_tolerance BETWEEN 0 AND 1),
    CONSTRAINT chk_confidence_threshold CHECK (confidence_threshold BETWEEN 0 AND 1),
    CONSTRAINT chk_uncertainty_tolerance CHECK (uncertainty_tolerance BETWEEN 0 AND 1),
    CONSTRAINT chk_learning_rate CHECK (learning_rate BETWEEN 0 AND 1),
    CONSTRAINT chk_adaptation_sensitivity CHECK (adaptation_sensitivity BETWEEN 0 AND 1),
    CONSTRAINT chk_memory_decay_factor CHECK (memory_decay_factor BETWEEN 0 AND 1),
    CONSTRAINT chk_confidence_alert_threshold CHECK (confidence_alert_threshold BETWEEN 0 AND 1),
    CONSTRAINT chk_uncertainty_warning_threshold CHECK (uncertainty_warning_threshold BETWEEN 0 AND 1)
)
"""

COLUMNS = {
    "user_id": "Key: the user whose preferences these are; deleted with the user",
    "tenant_id": "Tenant of the user (tenants.slug)",
    "risk_tolerance": "0 (conservative) to 1 (aggressive)",
    "confidence_threshold": "Least confidence for a trade, 0-1",
    "uncertainty_tolerance": "Greatest uncertainty accepted, 0-1",
    "preferred_indicators": "Names of indicators; NULL: all",
    "indicator_weights": 'Weight of each indicator, an object of numbers 0-1, for example {"rsi": 0.3}; NULL: equal',
    "ensemble_method": "simple_average, weighted_average or voting",
    "learning_rate": "Step of adaptive learning, 0-1, eight decimals",
    "adaptation_sensitivity": "How quickly new observations are followed, 0-1, 1 is quickest",
    "memory_decay_factor": "Weight that past observations keep at each step, 0-1",
    "confidence_alert_threshold": "Alert when confidence exceeds this, 0-1",
    "uncertainty_warning_threshold": "Warn when uncertainty exceeds this, 0-1",
    "feedback_frequency": "real-time, hourly, daily or weekly",
    "track_calibration": "Whether calibration is recorded",
    "track_feature_importance": "Whether the importance of features is recorded",
    "enable_auto_retraining": "Whether models may be trained again without asking",
    "created_at": "When the row was written",
    "updated_at": "When the row was last changed; set by a trigger",
}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute(
        "CREATE INDEX idx_user_prefs_risk_tolerance"
        " ON user_probability_preferences (risk_tolerance, confidence_threshold)"
    )
    op.execute(
        "CREATE INDEX idx_user_prefs_learning ON user_probability_preferences (learning_rate, adaptation_sensitivity)"
    )
    op.execute("COMMENT ON TABLE user_probability_preferences IS 'How each user wants probabilities used; D2 §2.1'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN user_probability_preferences.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP TABLE user_probability_preferences")
