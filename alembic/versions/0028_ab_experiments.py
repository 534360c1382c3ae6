"""A/B experiments between two models"""

from alembic import op

revision = "0028"
down_revision = "0027"

SECTION = "D1 §2 Model Registry Schema, Model Management and Versioning"

# RESTRICT: an experiment without one of its models proves nothing.
TABLE = """
CREATE TABLE ml_ab_experiments (
    experiment_id        uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    experiment_name      varchar(255)  NOT NULL,
    control_model_id     uuid          NOT NULL,
    treatment_model_id   uuid          NOT NULL,
    traffic_split        numeric(5,2)  NOT NULL DEFAULT 50.00,
    symbols_filter       text[],
    start_date           timestamptz   NOT NULL DEFAULT now(),
    end_date             timestamptz,
    status               varchar(50)   NOT NULL DEFAULT 'active',
    success_metrics      text[]        NOT NULL,
    minimum_sample_size  integer       NOT NULL DEFAULT 1000,
    confidence_level     numeric(5,4)  NOT NULL DEFAULT 0.95,
    experiment_config    jsonb,
    results              jsonb,
    winner_model_id      uuid,
    created_by           varchar(100),

    CONSTRAINT uq_ml_ab_experiments_name UNIQUE (experiment_name),
    CONSTRAINT fk_ml_ab_experiments_control
        FOREIGN KEY (control_model_id) REFERENCES ml_models ON DELETE RESTRICT,
    CONSTRAINT fk_ml_ab_experiments_treatment
        FOREIGN KEY (treatment_model_id) REFERENCES ml_models ON DELETE RESTRICT,
    CONSTRAINT fk_ml_ab_experiments_winner
        FOREIGN KEY (winner_model_id) REFERENCES ml_models ON DELETE RESTRICT,
    CONSTRAINT chk_traffic_split CHECK (traffic_split BETWEEN 0 AND 100),
    CONSTRAINT chk_status CHECK (status IN ('draft', 'active', 'paused', 'completed', 'stopped')),
    CONSTRAINT chk_different_models CHECK (control_model_id <> treatment_model_id),
    CONSTRAINT chk_winner CHECK (winner_model_id IN (control_model_id, treatment_model_id)),
    CONSTRAINT chk_experiment_dates CHECK (end_date > start_date),
    CONSTRAINT chk_minimum_sample_size CHECK (minimum_sample_size > 0),
    CONSTRAINT chk_confidence_level CHECK (confidence_level >= 0.80 AND confidence_level < 1)
)
"""

INDEXES = [
    "idx_experiment_status ON ml_ab_experiments (status, start_date)",
    "idx_experiment_models ON ml_ab_experiments (control_model_id, treatment_model_id)",
]

COLUMNS = {
    "experiment_id": "Key",
    "experiment_name": "Name; unique",
    "control_model_id": "Model in use so far",
    "treatment_model_id": "Model it is compared with, another one",
    "traffic_split": "Share of the traffic that goes to the treatment, percent, 0-100",
    "symbols_filter": "Symbols it is limited to; NULL: all",
    "start_date": "When it begins",
    "end_date": "When it ends, after it begins; NULL: open",
    "status": "draft, active, paused, completed or stopped",
    "success_metrics": "Metrics that decide it",
    "minimum_sample_size": "Samples needed before it is decided, 1 or more",
    "confidence_level": "Level of the statistical test, 0.80 to below 1",
    "experiment_config": "How it is run",
    "results": "Result of the statistical tests",
    "winner_model_id": "Model that won, one of the two; NULL: undecided",
    "created_by": "Who set it up",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"COMMENT ON TABLE ml_ab_experiments IS 'Comparisons of two models on live traffic; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_ab_experiments.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_ab_experiments")
