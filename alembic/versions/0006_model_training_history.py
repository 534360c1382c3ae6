"""Model training history"""

from alembic import op

revision = "0006"
down_revision = "0005"

TABLE = """
CREATE TABLE model_training_history (
    id                       uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id                 uuid          NOT NULL,
    training_session_id      uuid          NOT NULL,

    started_at               timestamptz   NOT NULL,
    completed_at             timestamptz,
    duration_seconds         integer,
    status                   varchar(20)   NOT NULL,

    training_data_size       bigint,
    validation_data_size     bigint,
    test_data_size           bigint,
    data_time_range          tstzrange,

    hyperparameters          jsonb,
    training_config          jsonb,

    final_accuracy           numeric(5,4),
    final_calibration_score  numeric(5,4),
    final_brier_score        numeric(6,5),
    validation_metrics       jsonb,

    previous_model_accuracy  numeric(5,4),
    improvement_percentage   numeric(8,2),

    error_message            text,
    error_details            jsonb,

    tenant_id                text,
    created_at               timestamptz   NOT NULL DEFAULT now(),

    CONSTRAINT fk_model_training_history_model
        FOREIGN KEY (model_id) REFERENCES probabilistic_models (id) ON DELETE RESTRICT,
    CONSTRAINT fk_model_training_history_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (slug) ON DELETE RESTRICT,

    CONSTRAINT chk_status CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),
    CONSTRAINT chk_completed_at CHECK (completed_at >= started_at),
    CONSTRAINT chk_duration_seconds CHECK (duration_seconds >= 0),
    CONSTRAINT chk_training_data_size CHECK (training_data_size >= 0),
    CONSTRAINT chk_validation_data_size CHECK (validation_data_size >= 0),
    CONSTRAINT chk_test_data_size CHECK (test_data_size >= 0),
    CONSTRAINT chk_data_time_range CHECK (NOT isempty(data_time_range)),

    CONSTRAINT chk_final_accuracy CHECK (final_accuracy BETWEEN 0 AND 1),
    CONSTRAINT chk_final_calibration_score CHECK (final_calibration_score BETWEEN 0 AND 1),
    CONSTRAINT chk_final_brier_score CHECK (final_brier_score BETWEEN 0 AND 1),
    CONSTRAINT chk_previous_model_accuracy CHECK (previous_model_accuracy BETWEEN 0 AND 1),
    CONSTRAINT chk_improvement_percentage CHECK (improvement_percentage BETWEEN -100 AND 999900)
)
"""

COLUMNS = {
    "id": "Key",
    "model_id": "Model that was trained; a model with history cannot be deleted",
    "training_session_id": "Groups the trainings that were started together",
    "started_at": "When training began",
    "completed_at": "When training ended, not before started_at; NULL while it runs",
    "duration_seconds": "Seconds, 0 or more",
    "status": "running, completed, failed or cancelled",
    "training_data_size": "Rows trained on, 0 or more",
    "validation_data_size": "Rows validated on, 0 or more",
    "test_data_size": "Rows tested on, 0 or more",
    "data_time_range": "Time range of the rows trained on; not empty",
    "hyperparameters": "What the model was trained with",
    "training_config": "How training was run",
    "final_accuracy": "Share of right predictions at the end, 0-1",
    "final_calibration_score": "Calibration at the end, 0-1, 1 is best",
    "final_brier_score": "Mean squared error of the probability of success at the end, 0-1, 0 is best",
    "validation_metrics": "Further figures of the validation",
    "previous_model_accuracy": "Accuracy of the model replaced, 0-1",
    "improvement_percentage": "Change of accuracy against the model replaced, percent of its accuracy, -100 to 999900",
    "error_message": "Why training failed, for people",
    "error_details": "Why training failed, for programs",
    "tenant_id": "Tenant that trained (tenants.slug); NULL: the platform itself",
    "created_at": "When the row was written",
}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("CREATE INDEX idx_training_history_model ON model_training_history (model_id, started_at DESC)")
    op.execute("CREATE INDEX idx_training_history_status ON model_training_history (status, started_at DESC)")
    op.execute(
        "CREATE INDEX idx_training_history_tenant ON model_training_history (tenant_id, completed_at DESC NULLS LAST)"
    )
    op.execute("COMMENT ON TABLE model_training_history IS 'Each training of a model and what came of it; D2 §2.1'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN model_training_history.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP TABLE model_training_history")
