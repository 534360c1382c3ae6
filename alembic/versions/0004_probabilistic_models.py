"""Probabilistic models: registry and configuration"""

from alembic import op

revision = "0004"
down_revision = "0003"

TABLE = """
CREATE TABLE probabilistic_models (
    id                      uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    model_name              varchar(100)  NOT NULL,
    model_type              varchar(50)   NOT NULL,
    version                 varchar(20)   NOT NULL,

    parameters              jsonb         NOT NULL,
    hyperparameters         jsonb,
    uncertainty_method      varchar(50),

    accuracy                numeric(5,4),
    calibration_score       numeric(5,4),
    brier_score             numeric(6,5),
    sharpe_ratio            numeric(10,4),

    created_at              timestamptz   NOT NULL DEFAULT now(),
    last_updated            timestamptz   NOT NULL DEFAULT now(),
    last_trained            timestamptz,
    status                  varchar(20)   NOT NULL DEFAULT 'active',

    deployed_at             timestamptz,
    deployment_environment  varchar(20),
    deployment_config       jsonb,

    tenant_id               text,
    is_shared               boolean       NOT NULL DEFAULT false,

    CONSTRAINT uq_probabilistic_models_name_version_tenant
        UNIQUE NULLS NOT DISTINCT (model_name, version, tenant_id),
    CONSTRAINT fk_probabilistic_models_tenant
        FOREIGN KEY (tenant_id) REFERENCES tenants (slug) ON DELETE RESTRICT,

    CONSTRAINT chk_model_type CHECK (model_type IN ('indicator', 'ensemble', 'meta', 'adaptive')),
    CONSTRAINT chk_uncertainty_method
        CHECK (uncertainty_method IN ('bayesian', 'ensemble', 'dropout', 'quantile')),
    CONSTRAINT chk_status CHECK (status IN ('active', 'deprecated', 'experimental', 'training')),
    CONSTRAINT chk_deployment_environment
        CHECK (deployment_environment IN ('development', 'staging', 'production')),

    CONSTRAINT chk_accuracy CHECK (accuracy BETWEEN 0 AND 1),
    CONSTRAINT chk_calibration_score CHECK (calibration_score BETWEEN 0 AND 1),
    CONSTRAINT chk_brier_score CHECK (brier_score BETWEEN 0 AND 1),
    CONSTRAINT chk_sharpe_ratio CHECK (sharpe_ratio <> 'NaN')
)
"""

COLUMNS = {
    "id": "Key",
    "model_name": "Name; unique with version and tenant",
    "model_type": "Layer: indicator, ensemble, meta or adaptive",
    "version": "Version of the model",
    "parameters": "What the model computes with",
    "hyperparameters": "What it was trained with",
    "uncertainty_method": "bayesian, ensemble, dropout or quantile",
    "accuracy": "Share of right predictions, 0-1; NULL until measured",
    "calibration_score": "Calibration, 0-1, 1 is best; NULL until measured",
    "brier_score": "Mean squared error of the probability of success, 0-1, 0 is best; NULL until measured",
    "sharpe_ratio": "Mean return over its standard deviation; any sign; NULL until measured",
    "created_at": "When the row was written",
    "last_updated": "When the row was last changed; set by a trigger",
    "last_trained": "When the latest training ended",
    "status": "active, deprecated, experimental or training",
    "deployed_at": "When it was deployed",
    "deployment_environment": "development, staging or production",
    "deployment_config": "How it is deployed",
    "tenant_id": "Owner (tenants.slug); NULL: a model of the platform itself",
    "is_shared": "true: every tenant may read it",
}


def upgrade() -> None:
    op.execute(TABLE)
    op.execute("COMMENT ON TABLE probabilistic_models IS 'Registry of the models that give probabilities; D2 §2.1'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN probabilistic_models.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute("DROP TABLE probabilistic_models")
