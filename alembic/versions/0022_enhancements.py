"""Enhancements: definitions and the monthly partitioned store"""

from alembic import op

revision = "0022"
down_revision = "0021"

SECTION = "D1 §1 Feature Store Schema, High-Performance Feature Storage"

DEFINITIONS = """
CREATE TABLE ml_enhancement_definitions (
    enhancement_id       uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    enhancement_name     varchar(255)  NOT NULL,
    enhancement_version  integer       NOT NULL DEFAULT 1,
    description          text,
    is_active            boolean       NOT NULL DEFAULT true,
    created_at           timestamptz   NOT NULL DEFAULT now(),
    updated_at           timestamptz   NOT NULL DEFAULT now(),
    created_by           varchar(100),

    CONSTRAINT uq_ml_enhancement_definitions_name_version UNIQUE (enhancement_name, enhancement_version),
    CONSTRAINT chk_version_positive CHECK (enhancement_version > 0)
)
"""

# RESTRICT: a stored value without its definition cannot be read any more.
STORE = """
CREATE TABLE ml_enhancement_store (
    ticker                    varchar(20)    NOT NULL,
    timestamp                 timestamptz    NOT NULL,
    enhancement_id            uuid           NOT NULL,
    enhancement_value         numeric(20,8),
    base_vfr_value            numeric(20,8),
    enhanced_composite_value  numeric(20,8),
    confidence_score          numeric(5,4),
    data_quality_score        numeric(5,4),
    vfr_factor_name           varchar(100),
    enhancement_latency_ms    integer,
    models_used               text[],
    fallback_mode             boolean        NOT NULL DEFAULT false,
    enhancement_weight        numeric(5,4)   NOT NULL DEFAULT 0.10,
    validation_status         varchar(20)    NOT NULL DEFAULT 'pending',
    created_at                timestamptz    NOT NULL DEFAULT now(),

    PRIMARY KEY (ticker, timestamp, enhancement_id),
    CONSTRAINT fk_ml_enhancement_store_enhancement
        FOREIGN KEY (enhancement_id) REFERENCES ml_enhancement_definitions ON DELETE RESTRICT,
    CONSTRAINT chk_confidence_score CHECK (confidence_score BETWEEN 0 AND 1),
    CONSTRAINT chk_data_quality_score CHECK (data_quality_score BETWEEN 0 AND 1),
    CONSTRAINT chk_validation_status
        CHECK (validation_status IN ('pending', 'valid', 'invalid', 'fallback', 'partial')),
    CONSTRAINT chk_enhancement_weight CHECK (enhancement_weight BETWEEN 0 AND 1),
    CONSTRAINT chk_enhancement_latency_ms CHECK (enhancement_latency_ms >= 0),
    CONSTRAINT chk_no_nan CHECK ('NaN' NOT IN (enhancement_value, base_vfr_value, enhanced_composite_value))
) PARTITION BY RANGE (timestamp)
"""

# (ticker, timestamp DESC) alone is the key read backwards. Recency is a matter of partitions, not of a predicate.
INDEXES = [
    "idx_enhancement_timestamp_desc ON ml_enhancement_store (enhancement_id, timestamp DESC)",
    "idx_timestamp_only_desc ON ml_enhancement_store (timestamp DESC)",
    "idx_ticker_enhancement_latest ON ml_enhancement_store (ticker, enhancement_id, timestamp DESC)",
    "idx_vfr_factor_timestamp ON ml_enhancement_store (vfr_factor_name, timestamp DESC)",
    "idx_quality_score ON ml_enhancement_store (data_quality_score) WHERE data_quality_score < 0.8",
    "idx_fallback_mode ON ml_enhancement_store (fallback_mode) WHERE fallback_mode = true",
    "idx_active_enhancements ON ml_enhancement_store (ticker, timestamp DESC, enhancement_id) "
    "WHERE validation_status = 'valid'",
    "idx_ticker_time_covering ON ml_enhancement_store (ticker, timestamp DESC) "
    "INCLUDE (enhancement_id, enhancement_value, enhanced_composite_value, confidence_score)",
]

TABLES = {
    "ml_enhancement_definitions": "Enhancements of VFR scores by models, one row for each version",
    "ml_enhancement_store": "Enhanced VFR scores of a ticker over time; partitioned by month in UTC; kept 60 months",
}

COLUMNS = {
    "ml_enhancement_definitions": {
        "enhancement_id": "Key; each version has its own",
        "enhancement_name": "Name; unique with enhancement_version",
        "enhancement_version": "Version of the definition, 1 or more",
        "description": "What is enhanced and how",
        "is_active": "false: no longer computed",
        "created_at": "When the row was written",
        "updated_at": "When the row was last changed; set by a trigger",
        "created_by": "Who defined it",
    },
    "ml_enhancement_store": {
        "ticker": "Trading symbol, for example AAPL",
        "timestamp": "Time the value is of; decides the partition",
        "enhancement_id": "Enhancement; cannot be deleted while it has values",
        "enhancement_value": "What the models add, in points of the score; any sign",
        "base_vfr_value": "Score before the enhancement, in points",
        "enhanced_composite_value": "Score after the enhancement, in points",
        "confidence_score": "Confidence of the models, 0-1; NULL: not computed",
        "data_quality_score": "Quality of the input, 0-1, 1 is best; NULL: not computed",
        "vfr_factor_name": "Factor that is enhanced, for example technical, fundamental or sentiment",
        "enhancement_latency_ms": "Time the enhancement added, milliseconds, 0 or more",
        "models_used": "Ids of the models used",
        "fallback_mode": "true: the enhancement failed and the score before it is served",
        "enhancement_weight": "Share of the models in the final score, 0-1",
        "validation_status": "pending, valid, invalid, fallback or partial",
        "created_at": "When the row was written",
    },
}


def upgrade() -> None:
    op.execute(DEFINITIONS)
    op.execute(STORE)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute("SELECT create_monthly_partitions('ml_enhancement_store', 3, 12)")
    op.execute(
        """
        CREATE TRIGGER update_enhancement_definitions_timestamp BEFORE UPDATE ON ml_enhancement_definitions
        FOR EACH ROW EXECUTE FUNCTION update_probability_timestamp()
        """
    )
    for table, columns in COLUMNS.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{TABLES[table]}; {SECTION}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN {table}.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_enhancement_store")
    op.execute("DROP TABLE ml_enhancement_definitions")
