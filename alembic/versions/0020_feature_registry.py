"""Feature registry: definitions and what they depend on"""

from alembic import op

revision = "0020"
down_revision = "0019"

SECTION = "D1 §1 Feature Store Schema, Core Feature Management"

# A column with a default is NOT NULL throughout D1, unless its comment says what NULL means.
DEFINITIONS = """
CREATE TABLE ml_feature_definitions (
    feature_id             uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    feature_name           varchar(255)  NOT NULL,
    feature_type           varchar(50)   NOT NULL,
    data_type              varchar(50)   NOT NULL,
    description            text,
    calculation_method     text,
    source_apis            text[],
    calculation_frequency  varchar(20)   NOT NULL,
    lookback_window_days   integer       NOT NULL DEFAULT 252,
    is_active              boolean       NOT NULL DEFAULT true,
    feature_version        integer       NOT NULL DEFAULT 1,
    feature_schema         jsonb,
    normalization_params   jsonb,
    created_at             timestamptz   NOT NULL DEFAULT now(),
    updated_at             timestamptz   NOT NULL DEFAULT now(),
    created_by             varchar(100),

    CONSTRAINT uq_ml_feature_definitions_name_version UNIQUE (feature_name, feature_version),
    CONSTRAINT chk_feature_type
        CHECK (feature_type IN ('technical', 'fundamental', 'sentiment', 'macro', 'options', 'custom')),
    CONSTRAINT chk_data_type CHECK (data_type IN ('float', 'integer', 'boolean', 'categorical', 'vector')),
    CONSTRAINT chk_calculation_frequency
        CHECK (calculation_frequency IN ('1m', '5m', '15m', '1h', '4h', '1d', 'weekly', 'monthly')),
    CONSTRAINT chk_lookback_positive CHECK (lookback_window_days > 0),
    CONSTRAINT chk_version_positive CHECK (feature_version > 0)
)
"""

# RESTRICT: a feature that another is computed from cannot disappear under it.
DEPENDENCIES = """
CREATE TABLE ml_feature_dependencies (
    dependency_id          uuid          PRIMARY KEY DEFAULT gen_random_uuid(),
    feature_id             uuid          NOT NULL,
    depends_on_feature_id  uuid          NOT NULL,
    dependency_type        varchar(50)   NOT NULL,
    lag_periods            integer       NOT NULL DEFAULT 0,
    weight                 numeric(5,4),
    created_at             timestamptz   NOT NULL DEFAULT now(),

    CONSTRAINT uq_ml_feature_dependencies_pair UNIQUE (feature_id, depends_on_feature_id),
    CONSTRAINT fk_ml_feature_dependencies_feature
        FOREIGN KEY (feature_id) REFERENCES ml_feature_definitions ON DELETE RESTRICT,
    CONSTRAINT fk_ml_feature_dependencies_depends_on
        FOREIGN KEY (depends_on_feature_id) REFERENCES ml_feature_definitions ON DELETE RESTRICT,
    CONSTRAINT chk_dependency_type
        CHECK (dependency_type IN ('input', 'derived', 'aggregation', 'transformation')),
    CONSTRAINT chk_no_self_dependency CHECK (feature_id <> depends_on_feature_id),
    CONSTRAINT chk_lag_periods CHECK (lag_periods >= 0),
    CONSTRAINT chk_weight CHECK (weight <> 'NaN')
)
"""

INDEXES = [
    "idx_feature_type_active ON ml_feature_definitions (feature_type, is_active)",
    "idx_source_apis_gin ON ml_feature_definitions USING gin (source_apis)",
    "idx_frequency ON ml_feature_definitions (calculation_frequency)",
    "idx_reverse_deps ON ml_feature_dependencies (depends_on_feature_id)",
]

TABLES = {
    "ml_feature_definitions": "What can be computed about a ticker, one row for each version",
    "ml_feature_dependencies": "Which feature is computed from which; a row is one edge",
}

COLUMNS = {
    "ml_feature_definitions": {
        "feature_id": "Key; each version has its own",
        "feature_name": "Name; unique with feature_version",
        "feature_type": "technical, fundamental, sentiment, macro, options or custom",
        "data_type": "Type of the value: float, integer, boolean, categorical or vector",
        "description": "What it measures",
        "calculation_method": "How it is computed",
        "source_apis": "Sources it is computed from, for example Polygon",
        "calculation_frequency": "How often it is computed: 1m, 5m, 15m, 1h, 4h, 1d, weekly or monthly",
        "lookback_window_days": "History needed, trading days, 1 or more",
        "is_active": "false: no longer computed",
        "feature_version": "Version of the definition, 1 or more",
        "feature_schema": "JSON Schema of the value",
        "normalization_params": "Minimum, maximum, mean and standard deviation to scale by",
        "created_at": "When the row was written",
        "updated_at": "When the row was last changed; set by a trigger",
        "created_by": "Who defined it",
    },
    "ml_feature_dependencies": {
        "dependency_id": "Key",
        "feature_id": "Feature that is computed; unique with depends_on_feature_id",
        "depends_on_feature_id": "Feature it is computed from, not itself; cannot be deleted while named here",
        "dependency_type": "input, derived, aggregation or transformation",
        "lag_periods": "Periods back that are read, 0 or more",
        "weight": "Share in a weighted sum, any sign, below 10; NULL: not weighted",
        "created_at": "When the row was written",
    },
}


def upgrade() -> None:
    op.execute(DEFINITIONS)
    op.execute(DEPENDENCIES)
    for index in INDEXES:
        op.execute(f"CREATE INDEX {index}")
    op.execute(
        """
        CREATE TRIGGER update_feature_definitions_timestamp BEFORE UPDATE ON ml_feature_definitions
        FOR EACH ROW EXECUTE FUNCTION update_probability_timestamp()
        """
    )
    for table, columns in COLUMNS.items():
        op.execute(f"COMMENT ON TABLE {table} IS '{TABLES[table]}; {SECTION}'")
        for column, meaning in columns.items():
            op.execute(f"COMMENT ON COLUMN {table}.{column} IS '{meaning}; {SECTION}'")


def downgrade() -> None:
    op.execute("DROP TABLE ml_feature_dependencies")
    op.execute("DROP TABLE ml_feature_definitions")
