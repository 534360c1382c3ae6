"""Feature store, partitioned by month"""

from alembic import op

revision = "0033"
down_revision = "0032"

SECTION = "D1 §1 Feature Store Schema, Feature Aggregation and Materialized Views"

# A value is NULL only in rows that are not valid. RESTRICT: a stored value without its definition cannot be read.
TABLE = """
CREATE TABLE ml_feature_store (
    ticker              varchar(20)    NOT NULL,
    timestamp           timestamptz    NOT NULL,
    feature_id          uuid           NOT NULL,
    value               numeric(28,8),
    confidence_score    numeric(5,4),
    data_quality_score  numeric(5,4),
    source_provider     varchar(100),
    validation_status   varchar(20)    NOT NULL DEFAULT 'pending',
    created_at          timestamptz    NOT NULL DEFAULT now(),

    PRIMARY KEY (ticker, feature_id, timestamp),
    CONSTRAINT fk_ml_feature_store_feature
        FOREIGN KEY (feature_id) REFERENCES ml_feature_definitions ON DELETE RESTRICT,
    CONSTRAINT chk_value CHECK (value <> 'NaN' AND (value IS NOT NULL OR validation_status <> 'valid')),
    CONSTRAINT chk_confidence_score CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT chk_data_quality_score CHECK (data_quality_score BETWEEN 0 AND 1),
    CONSTRAINT chk_validation_status
        CHECK (validation_status IN ('pending', 'valid', 'invalid', 'fallback', 'partial'))
) PARTITION BY RANGE (timestamp)
"""

# Recent rows are the last partition, so that no index needs a predicate on the clock.
INDEXES = [
    "idx_feature_store_composite_covering ON ml_feature_store (ticker, timestamp DESC, feature_id) "
    "INCLUDE (value, confidence_score, data_quality_score, source_provider) WHERE validation_status = 'valid'",
    "idx_feature_store_high_quality ON ml_feature_store (ticker, feature_id, timestamp DESC) "
    "WHERE data_quality_score >= 0.9 AND confidence_score >= 0.8",
    "idx_feature_store_timestamp_brin ON ml_feature_store USING brin (timestamp)",
]

COLUMNS = {
    "ticker": "Trading symbol, for example AAPL",
    "timestamp": "Time the value is of; decides the partition",
    "feature_id": "Feature; cannot be deleted while it has values",
    "value": "Value in the unit of the feature, any sign; NULL: none that could be read, never in a valid row",
    "confidence_score": "Confidence, 0-1; NULL: not computed",
    "data_quality_score": "Quality of the input, 0-1, 1 is best; NULL: not computed",
    "source_provider": "Where the value comes from, for example Polygon",
    "validation_status": "pending, valid, invalid, fallback or partial; only valid rows are served",
    "created_at": "When the row was first written",
}


def upgrade() -> None:
    op.execute(TABLE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute("SELECT create_monthly_partitions('ml_feature_store', 3, 12)")
    op.execute(
        "COMMENT ON TABLE ml_feature_store IS "
        f"'Values of features of a ticker over time; partitioned by month in UTC; kept 10 years; {SECTION}'"
    )
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN ml_feature_store.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_feature_store")
