"""Feature pipelines and the lineage of datasets"""

from alembic import op

revision = "0024"
down_revision = "0023"

SECTION = "D1 §3 Training Data and Dataset Management, Dataset Versioning and Lineage"

PIPELINES = """
CREATE TABLE ml_feature_pipelines (
    pipeline_id        uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    pipeline_name      varchar(255)  NOT NULL,
    pipeline_version   varchar(50)   NOT NULL,
    description        text,
    input_features     uuid[]        NOT NULL,
    output_features    uuid[]        NOT NULL,
    pipeline_steps     jsonb         NOT NULL,
    pipeline_code      text,
    parameters         jsonb,
    validation_rules   jsonb,
    execution_time_ms  integer,
    memory_usage_mb    integer,
    created_at         timestamptz   NOT NULL DEFAULT now(),
    created_by         varchar(100),
    is_active          boolean       NOT NULL DEFAULT true,

    CONSTRAINT uq_ml_feature_pipelines_name_version UNIQUE (pipeline_name, pipeline_version),
    CONSTRAINT chk_execution_time_ms CHECK (execution_time_ms >= 0),
    CONSTRAINT chk_memory_usage_mb CHECK (memory_usage_mb >= 0)
)
"""

# RESTRICT: lineage is the proof of where data came from, so that neither end of it may disappear.
LINEAGE = """
CREATE TABLE ml_data_lineage (
    lineage_id             uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    downstream_dataset_id  uuid          NOT NULL,
    upstream_dataset_id    uuid,
    transformation_type    varchar(100),
    transformation_config  jsonb,
    pipeline_id            uuid,
    created_at             timestamptz   NOT NULL DEFAULT now(),

    CONSTRAINT fk_ml_data_lineage_downstream
        FOREIGN KEY (downstream_dataset_id) REFERENCES ml_datasets ON DELETE RESTRICT,
    CONSTRAINT fk_ml_data_lineage_upstream
        FOREIGN KEY (upstream_dataset_id) REFERENCES ml_datasets ON DELETE RESTRICT,
    CONSTRAINT fk_ml_data_lineage_pipeline
        FOREIGN KEY (pipeline_id) REFERENCES ml_feature_pipelines ON DELETE RESTRICT,
    CONSTRAINT chk_transformation_type
        CHECK (transformation_type IN ('feature_engineering', 'aggregation', 'filtering', 'join', 'union')),
    CONSTRAINT chk_upstream CHECK (num_nonnulls(upstream_dataset_id, pipeline_id) > 0),
    CONSTRAINT chk_different_datasets CHECK (upstream_dataset_id <> downstream_dataset_id)
)
"""

INDEXES = [
    "idx_pipeline_features_gin ON ml_feature_pipelines USING gin (input_features, output_features)",
    "idx_pipeline_active ON ml_feature_pipelines (is_active) WHERE is_active = true",
    "idx_lineage_downstream ON ml_data_lineage (downstream_dataset_id)",
    "idx_lineage_upstream ON ml_data_lineage (upstream_dataset_id)",
    "idx_lineage_pipeline ON ml_data_lineage (pipeline_id)",
]

TABLES = {
    "ml_feature_pipelines": "Pipelines that turn features into features, one row for each version",
    "ml_data_lineage": "Which dataset came from which, and through which pipeline; a row is one edge",
}

COLUMNS = {
    "ml_feature_pipelines": {
        "pipeline_id": "Key; each version has its own",
        "pipeline_name": "Name; unique with pipeline_version",
        "pipeline_version": "Version of the pipeline",
        "description": "What it does",
        "input_features": "Features it reads (ml_feature_definitions.feature_id)",
        "output_features": "Features it makes (ml_feature_definitions.feature_id)",
        "pipeline_steps": "Transformations, step by step",
        "pipeline_code": "Its SQL or Python",
        "parameters": "What can be configured",
        "validation_rules": "What its output must satisfy",
        "execution_time_ms": "Duration of a run, milliseconds, 0 or more; NULL: not measured",
        "memory_usage_mb": "Memory of a run, megabytes, 0 or more; NULL: not measured",
        "created_at": "When the row was written",
        "created_by": "Who wrote it",
        "is_active": "false: not to be run any more",
    },
    "ml_data_lineage": {
        "lineage_id": "Key",
        "downstream_dataset_id": "Dataset that was made; cannot be deleted while named here",
        "upstream_dataset_id": "Dataset it was made from, not itself; NULL: made by the pipeline from features alone",
        "transformation_type": "feature_engineering, aggregation, filtering, join or union; NULL: none of these",
        "transformation_config": "How it was made",
        "pipeline_id": "Pipeline that made it; NULL: made without one, from the upstream dataset",
        "created_at": "When the row was written",
    },
}


def upgrade() -> None:
    op.execute(PIPELINES)
    op.execute(LINEAGE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    for table, columns in COLUMNS.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{TABLES[table]}; {SECTION}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN {table}.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_data_lineage")
    op.execute("DROP TABLE ml_feature_pipelines")
