"""Datasets and their versions"""

from alembic import op

revision = "0023"
down_revision = "0022"

SECTION = "D1 §3 Training Data and Dataset Management, Dataset Versioning and Lineage"

TABLE = """
CREATE TABLE ml_datasets (
    dataset_id               uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    dataset_name             varchar(255)  NOT NULL,
    dataset_version          varchar(50)   NOT NULL,
    description              text,
    dataset_type             varchar(50),
    tickers                  text[]        NOT NULL,
    feature_ids              uuid[]        NOT NULL,
    start_date               date          NOT NULL,
    end_date                 date          NOT NULL,
    frequency                varchar(20)   NOT NULL,
    total_samples            bigint,
    total_features           integer,
    missing_data_percentage  numeric(5,2),
    data_quality_score       numeric(5,4),
    splits                   jsonb         NOT NULL,
    preprocessing_config     jsonb,
    data_storage_path        varchar(500),
    data_format              varchar(50)   NOT NULL DEFAULT 'parquet',
    compression_type         varchar(20),
    checksum                 varchar(64),
    dvc_file_path            varchar(500),
    created_at               timestamptz   NOT NULL DEFAULT now(),
    created_by               varchar(100),
    is_active                boolean       NOT NULL DEFAULT true,

    CONSTRAINT uq_ml_datasets_name_version UNIQUE (dataset_name, dataset_version),
    CONSTRAINT chk_dataset_type
        CHECK (dataset_type IN ('training', 'validation', 'test', 'holdout', 'benchmark')),
    CONSTRAINT chk_data_format CHECK (data_format IN ('parquet', 'csv', 'hdf5', 'feather', 'tfrecord')),
    CONSTRAINT chk_date_range CHECK (end_date > start_date),
    CONSTRAINT chk_positive_samples CHECK (total_samples > 0),
    CONSTRAINT chk_quality_score CHECK (data_quality_score BETWEEN 0 AND 1),
    CONSTRAINT chk_missing_data CHECK (missing_data_percentage BETWEEN 0 AND 100)
)
"""

INDEXES = [
    "idx_dataset_date_range ON ml_datasets (start_date, end_date)",
    "idx_dataset_type_active ON ml_datasets (dataset_type, is_active)",
    "idx_dataset_created ON ml_datasets (created_at DESC)",
    "idx_dataset_tickers ON ml_datasets USING gin (tickers)",
    "idx_dataset_features ON ml_datasets USING gin (feature_ids)",
]

COLUMNS = {
    "dataset_id": "Key; each version has its own",
    "dataset_name": "Name; unique with dataset_version",
    "dataset_version": "Version of the dataset",
    "description": "What it holds",
    "dataset_type": "training, validation, test, holdout or benchmark; NULL: of no one kind",
    "tickers": "Symbols in the dataset",
    "feature_ids": "Features in the dataset (ml_feature_definitions.feature_id)",
    "start_date": "First day, in UTC",
    "end_date": "Last day, in UTC; after start_date",
    "frequency": "Time between samples, for example 1d",
    "total_samples": "Rows, 1 or more; NULL: not counted",
    "total_features": "Features; NULL: not counted",
    "missing_data_percentage": "Missing values, percent, 0-100; NULL: not measured",
    "data_quality_score": "Quality, 0-1, 1 is best; NULL: not measured",
    "splits": "How it is split for training, validation and test",
    "preprocessing_config": "Normalization, encoding and the like",
    "data_storage_path": "Where the data lies, S3 or local",
    "data_format": "parquet, csv, hdf5, feather or tfrecord",
    "compression_type": "How it is compressed, for example snappy; NULL: not",
    "checksum": "SHA-256 of the data, hexadecimal",
    "dvc_file_path": "DVC file that versions the data",
    "created_at": "When the row was written",
    "created_by": "Who made it",
    "is_active": "false: not to be used any more",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(f"COMMENT ON TABLE ml_datasets IS 'Datasets that models are trained and tested on; {SECTION}'")
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_datasets.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_datasets")
