"""Model metrics over time"""

from alembic import op

revision = "0026"
down_revision = "0025"

SECTION = "D1 §2 Model Registry Schema, Model Management and Versioning"

# numeric(24,8): the mean squared error of a price of 700,000 is above 10^7. RESTRICT: models are kept for good.
TABLE = """
CREATE TABLE ml_model_metrics (
    metric_id              uuid           PRIMARY KEY DEFAULT gen_random_uuid(),
    model_id               uuid           NOT NULL,
    metric_name            varchar(100)   NOT NULL,
    metric_value           numeric(24,8)  NOT NULL,
    metric_std             numeric(24,8),
    dataset_type           varchar(20)    NOT NULL,
    time_period_start      date,
    time_period_end        date,
    symbol_universe        text[],
    calculation_timestamp  timestamptz    NOT NULL DEFAULT now(),
    calculation_metadata   jsonb,

    CONSTRAINT fk_ml_model_metrics_model FOREIGN KEY (model_id) REFERENCES ml_models ON DELETE RESTRICT,
    CONSTRAINT chk_metric_name CHECK (metric_name IN (
        'accuracy', 'precision', 'recall', 'f1_score', 'auc_roc', 'auc_pr', 'mse', 'rmse', 'mae', 'mape', 'r_squared',
        'sharpe_ratio', 'sortino_ratio', 'max_drawdown', 'calmar_ratio', 'hit_rate', 'profit_factor', 'win_loss_ratio'
    )),
    CONSTRAINT chk_dataset_type CHECK (dataset_type IN ('train', 'validation', 'test', 'holdout', 'live')),
    CONSTRAINT chk_metric_value CHECK (metric_value <> 'NaN'),
    CONSTRAINT chk_metric_std CHECK (metric_std >= 0 AND metric_std <> 'NaN'),
    CONSTRAINT chk_time_period CHECK (time_period_end >= time_period_start)
)
"""

INDEXES = [
    "idx_model_metric_name ON ml_model_metrics (model_id, metric_name)",
    "idx_model_dataset_type ON ml_model_metrics (model_id, dataset_type)",
    "idx_metric_value ON ml_model_metrics (metric_name, metric_value DESC)",
    "idx_calculation_time ON ml_model_metrics (calculation_timestamp DESC)",
]

COLUMNS = {
    "metric_id": "Key",
    "model_id": "Model that was measured; a model with metrics cannot be deleted",
    "metric_name": "accuracy, precision, recall, f1_score, auc_roc, auc_pr, mse, rmse, mae, mape, r_squared, "
    "sharpe_ratio, sortino_ratio, max_drawdown, calmar_ratio, hit_rate, profit_factor or win_loss_ratio",
    "metric_value": "Value in the unit of the metric; any sign",
    "metric_std": "Standard deviation over the folds, in the unit of the metric, 0 or more; NULL: no folds",
    "dataset_type": "What it was measured on: train, validation, test, holdout or live",
    "time_period_start": "First day measured, in UTC",
    "time_period_end": "Last day measured, in UTC; not before the first",
    "symbol_universe": "Symbols measured; NULL: all",
    "calculation_timestamp": "When it was computed",
    "calculation_metadata": "How it was computed",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"COMMENT ON TABLE ml_model_metrics IS 'How well models do, measured over time; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_model_metrics.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_model_metrics")
