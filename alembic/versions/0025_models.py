"""Model registry"""

from alembic import op

revision = "0025"
down_revision = "0024"

SECTION = "D1 §2 Model Registry Schema, Model Management and Versioning"

# RESTRICT: the dataset a model was trained on is needed to train it again. Scores have no range: R² may be negative,
# RMSE above 1. NaN compares greater than every number, so that > 0 alone would let it in.
TABLE = """
CREATE TABLE ml_models (
    model_id                   uuid            PRIMARY KEY DEFAULT gen_random_uuid(),
    model_name                 varchar(255)    NOT NULL,
    model_version              varchar(50)     NOT NULL,
    model_type                 varchar(100)    NOT NULL,
    algorithm_family           varchar(50)     NOT NULL,
    objective                  varchar(100)    NOT NULL,
    target_variable            varchar(255)    NOT NULL,
    prediction_horizon         varchar(20)     NOT NULL,
    feature_set_id             uuid,
    hyperparameters            jsonb           NOT NULL,
    training_config            jsonb,
    model_artifact_path        varchar(500),
    model_size_mb              numeric(10,2),
    training_duration_minutes  integer,
    training_start_time        timestamptz,
    training_end_time          timestamptz,
    validation_score           numeric(16,6),
    test_score                 numeric(16,6),
    cross_validation_scores    numeric(16,6)[],
    feature_importance         jsonb,
    model_metadata             jsonb,
    git_commit_hash            varchar(40),
    docker_image               varchar(255),
    environment_config         jsonb,
    created_at                 timestamptz     NOT NULL DEFAULT now(),
    updated_at                 timestamptz     NOT NULL DEFAULT now(),
    created_by                 varchar(100),
    status                     varchar(50)     NOT NULL DEFAULT 'training',

    CONSTRAINT uq_ml_models_name_version UNIQUE (model_name, model_version),
    CONSTRAINT fk_ml_models_feature_set
        FOREIGN KEY (feature_set_id) REFERENCES ml_datasets ON DELETE RESTRICT,
    CONSTRAINT chk_model_type CHECK (model_type IN (
        'linear_regression', 'logistic_regression', 'random_forest', 'xgboost', 'lightgbm', 'catboost', 'lstm',
        'transformer', 'ensemble', 'meta_learner'
    )),
    CONSTRAINT chk_algorithm_family
        CHECK (algorithm_family IN ('tree_based', 'neural_network', 'linear', 'ensemble', 'time_series')),
    CONSTRAINT chk_objective CHECK (objective IN (
        'price_prediction', 'direction_classification', 'volatility_forecast', 'risk_assessment', 'anomaly_detection',
        'portfolio_optimization'
    )),
    CONSTRAINT chk_status CHECK (status IN (
        'training', 'completed', 'failed', 'validated', 'deployed', 'shadow', 'production', 'deprecated', 'archived'
    )),
    CONSTRAINT chk_scores_valid CHECK (
        validation_score <> 'NaN' AND test_score <> 'NaN' AND 'NaN' <> ALL (cross_validation_scores)
    ),
    CONSTRAINT chk_training_time CHECK (training_end_time > training_start_time),
    CONSTRAINT chk_training_duration_minutes CHECK (training_duration_minutes >= 0),
    CONSTRAINT chk_model_size CHECK (model_size_mb > 0 AND model_size_mb <> 'NaN')
)
"""

INDEXES = [
    "idx_model_status_type ON ml_models (status, model_type)",
    "idx_model_objective ON ml_models (objective, prediction_horizon)",
    "idx_model_performance ON ml_models (validation_score DESC NULLS LAST) "
    "WHERE status IN ('validated', 'deployed', 'production')",
    "idx_model_created ON ml_models (created_at DESC)",
    "idx_git_commit ON ml_models (git_commit_hash)",
]

COLUMNS = {
    "model_id": "Key; each version has its own",
    "model_name": "Name; unique with model_version",
    "model_version": "Version of the model",
    "model_type": "linear_regression, logistic_regression, random_forest, xgboost, lightgbm, catboost, lstm, "
    "transformer, ensemble or meta_learner",
    "algorithm_family": "tree_based, neural_network, linear, ensemble or time_series",
    "objective": "price_prediction, direction_classification, volatility_forecast, risk_assessment, "
    "anomaly_detection or portfolio_optimization",
    "target_variable": "What is predicted",
    "prediction_horizon": "How far ahead, for example 1d, 1w or 1m (a month)",
    "feature_set_id": "Dataset it was trained on; that one cannot be deleted; NULL: not recorded",
    "hyperparameters": "What it was trained with",
    "training_config": "How training was run",
    "model_artifact_path": "Where the trained model lies, S3 or file system",
    "model_size_mb": "Size of the trained model, megabytes, above 0",
    "training_duration_minutes": "Duration of training, minutes, 0 or more",
    "training_start_time": "When training began",
    "training_end_time": "When training ended, after it began; NULL while it runs",
    "validation_score": "Score on validation data in the unit of the objective (R², RMSE, accuracy); any sign",
    "test_score": "Score on test data in the unit of the objective; any sign",
    "cross_validation_scores": "Score of each fold in the unit of the objective; any sign",
    "feature_importance": "Importance of each feature",
    "model_metadata": "Further facts of this kind of model",
    "git_commit_hash": "Commit of the code, 40 hexadecimal digits",
    "docker_image": "Image it was trained in",
    "environment_config": "Versions of Python and packages",
    "created_at": "When the row was written",
    "updated_at": "When the row was last changed; set by a trigger",
    "created_by": "Who trained it",
    "status": "training, completed, failed, validated, deployed, shadow, production, deprecated or archived",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(
        """
        CREATE TRIGGER update_ml_models_timestamp BEFORE UPDATE ON ml_models
        FOR EACH ROW EXECUTE FUNCTION update_probability_timestamp()
        """
    )
    op.execute(f"COMMENT ON TABLE ml_models IS 'Trained models, one row for each version; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_models.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_models")
