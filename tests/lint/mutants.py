"""One defect of each rule and where it is planted in the shipped migrations."""

# ruff: noqa: E501 (a defect is read as it is written)

from __future__ import annotations

from typing import NamedTuple


class Plant(NamedTuple):
    """`old` becomes `new` where it stands first; `at` is the part of it whose lines the finding may be on."""

    rule: str
    file: str
    old: str
    new: str
    at: str = ""

    @property
    def defect(self) -> str:
        return (self.at or self.new).strip("\n")


_UP = "def upgrade() -> None:\n"


def _sends(rule: str, file: str, sql: str, *, alone: bool = False) -> Plant:
    """A statement more at the beginning of a revision; `alone`: outside of its transaction."""
    call = f'    op.execute("""{sql}""")\n'
    block = f"    with op.get_context().autocommit_block():\n    {call}"
    sent = block if alone else call
    return Plant(rule, f"alembic/versions/{file}", _UP, _UP + sent, sent)


def _edits(rule: str, file: str, old: str, new: str) -> Plant:
    return Plant(rule, f"alembic/versions/{file}", old, new)


_BODY = "CREATE FUNCTION {} RETURNS void LANGUAGE plpgsql AS $$ BEGIN {}; END $$"
POSTGRES = (
    _sends("column-without-default", "0039_tenant_of_session.py", "ALTER TABLE users ADD COLUMN p6 text NOT NULL"),
    _sends(
        "enum-value-in-transaction",
        "0038_store_staged_features.py",
        "ALTER TYPE planted_state ADD VALUE 'p7'; UPDATE users SET email = 'p7' WHERE email = ''",
    ),
    _sends("body-syntax", "0037_staged_number.py", _BODY.format("planted()", "PERFORM 1 FROM users WHERE email = []")),
    _edits(
        "concurrently-in-transaction",
        "0015_index_decisions_confidence.py",
        """with op.get_context().autocommit_block():
        op.execute(
            \"""
            CREATE INDEX""",
        """if True:
        op.execute(
            \"""
            CREATE INDEX""",
    ),
    _sends("drop-column-of-view", "0037_staged_number.py", "ALTER TABLE ml_predictions DROP COLUMN cache_hit"),
    _sends(
        "like-underscore", "0042_views_of_the_caller.py", "SELECT tablename FROM pg_tables WHERE tablename LIKE 'ml_%'"
    ),
    _sends(
        "refresh-needs-unique-index",
        "0041_roles.py",
        "CREATE MATERIALIZED VIEW p8 AS SELECT 1 AS x; REFRESH MATERIALIZED VIEW CONCURRENTLY p8",
    ),
    _sends("alter-system", "0041_roles.py", "ALTER SYSTEM SET work_mem = '256MB'"),
    _edits(
        "cascade-deletes-history",
        "0006_model_training_history.py",
        "REFERENCES probabilistic_models (id) ON DELETE RESTRICT",
        "REFERENCES probabilistic_models (id) ON DELETE CASCADE",
    ),
    _sends("column-type-change", "0009_decision_probability_columns.py", "ALTER TABLE users ALTER id TYPE text"),
    _sends(
        "concurrently-in-function", "0035_feature_and_prediction_functions.py", _BODY.format("tidy()", "VACUUM users")
    ),
    _edits(
        "concurrently-lock-timeout",
        "0013_index_models_tenant.py",
        """            CREATE INDEX CONCURRENTLY""",
        """            SET lock_timeout = '3s';
            CREATE INDEX CONCURRENTLY""",
    ),
    _sends(
        "concurrently-on-partitioned",
        "0038_store_staged_features.py",
        "CREATE INDEX CONCURRENTLY planted_parent ON ml_predictions (model_id)",
        alone=True,
    ),
    _edits("constant-index-column", "0012_index_models_type_status.py", "(model_type)", "(model_type, status)"),
    _edits(
        "constraint-without-not-valid",
        "0010_decision_probability_checks.py",
        "CHECK (aggregated_confidence BETWEEN 0 AND 1) NOT VALID,",
        "CHECK (aggregated_confidence BETWEEN 0 AND 1),",
    ),
    _edits(
        "decimal-rounds",
        "0006_model_training_history.py",
        "final_brier_score        numeric(6,5),",
        "final_brier_score numeric(4,3) DEFAULT 0.0001,",
    ),
    _edits(
        "decimal-too-small",
        "0006_model_training_history.py",
        "CHECK (final_accuracy BETWEEN 0 AND 1)",
        "CHECK (final_accuracy BETWEEN 0 AND 100)",
    ),
    _sends(
        "drop-index-not-concurrent", "0016_row_security_base_tables.py", "DROP INDEX idx_probabilistic_models_tenant"
    ),
    _sends(
        "duplicate-index",
        "0009_decision_probability_columns.py",
        "CREATE UNIQUE INDEX CONCURRENTLY again ON users (tenant_id, lower(email))",
        alone=True,
    ),
    _sends("extension-not-created", "0041_roles.py", "SELECT cron.schedule('tidy', '0 3 * * 0', 'VACUUM users')"),
    _edits(
        "index-clock",
        "0013_index_models_tenant.py",
        "(tenant_id, status)",
        "(tenant_id, status) WHERE created_at > now()",
    ),
    _sends(
        "index-name-taken",
        "0039_tenant_of_session.py",
        "CREATE INDEX CONCURRENTLY idx_trading_decisions_symbol_confidence ON users (created_at)",
        alone=True,
    ),
    _edits(
        "index-not-concurrent",
        "0014_index_models_performance.py",
        "            CREATE INDEX CONCURRENTLY",
        "            CREATE INDEX",
    ),
    _edits(
        "inline-index",
        "0002_users.py",
        "    CONSTRAINT uq_users_tenant_id",
        "    INDEX idx_email (email),\n    CONSTRAINT uq_users_tenant_id",
    ),
    _sends(
        "key-builds-index",
        "0018_row_security_preferences.py",
        "ALTER TABLE users ADD CONSTRAINT one_email UNIQUE (email, tenant_id)",
    ),
    _edits(
        "key-without-partition-column",
        "0032_predictions.py",
        "PRIMARY KEY (prediction_id, prediction_timestamp)",
        "PRIMARY KEY (prediction_id)",
    ),
    _sends(
        "name-as-regclass",
        "0042_views_of_the_caller.py",
        "CREATE VIEW planted_sizes AS SELECT pg_total_relation_size(tablename::regclass) FROM pg_tables",
    ),
    _edits(
        "name-unique-without-version", "0025_models.py", "UNIQUE (model_name, model_version)", "UNIQUE (model_name)"
    ),
    _edits(
        "null-blind-check",
        "0006_model_training_history.py",
        "CHECK (duration_seconds >= 0)",
        "CHECK ((completed_at IS NULL AND duration_seconds IS NULL) OR (duration_seconds >= 0 AND completed_at >= started_at))",
    ),
    _sends(
        "partition-bounds-time-zone",
        "0043_traffic_of_a_model.py",
        "CREATE TABLE planted_p PARTITION OF ml_predictions FOR VALUES FROM ('2026-01-01') TO ('2026-02-01')",
    ),
    _sends(
        "partition-of-plain-table",
        "0043_traffic_of_a_model.py",
        "CREATE TABLE planted_q PARTITION OF users FOR VALUES FROM ('2026-01-01Z') TO ('2027-01-01Z')",
    ),
    _sends(
        "partman-call",
        "0044_text_checks.py",
        "SELECT partman.create_parent(p_parent_table => 'public.ml_predictions', p_control => 'prediction_timestamp', p_type => 'range', p_interval => 'monthly')",
    ),
    _sends(
        "partman-partition-name",
        "0044_text_checks.py",
        "CREATE TABLE ml_predictions_2026_03 PARTITION OF ml_predictions FOR VALUES FROM ('2026-03-01 00:00+00') TO ('2026-04-01 00:00+00')",
    ),
    _sends(
        "redundant-index",
        "0039_tenant_of_session.py",
        "CREATE INDEX CONCURRENTLY planted_prefix ON users (tenant_id)",
        alone=True,
    ),
    _sends(
        "removed-system-column",
        "0042_views_of_the_caller.py",
        "CREATE VIEW planted_idle AS SELECT tablename FROM pg_stat_user_indexes",
    ),
    _sends("rename-in-use", "0045_text_checks_proved.py", "ALTER TABLE users RENAME COLUMN email TO address"),
    _sends(
        "set-not-null",
        "0017_row_security_models.py",
        "ALTER TABLE trading_decisions ALTER COLUMN position_size SET NOT NULL",
    ),
    _edits(
        "status-without-check",
        "0006_model_training_history.py",
        "    CONSTRAINT chk_status CHECK (status IN ('running', 'completed', 'failed', 'cancelled')),\n",
        "",
    ),
    _sends("syntax", "0041_roles.py", "CREATE INDEX planted_bad ON users ((id - 1) / 2)"),
    _edits(
        "two-primary-keys",
        "0003_trading_decisions.py",
        "    CONSTRAINT chk_decision",
        "    PRIMARY KEY (id, symbol),\n    CONSTRAINT chk_decision",
    ),
    _edits(
        "unique-with-nulls",
        "0004_probabilistic_models.py",
        "UNIQUE NULLS NOT DISTINCT (model_name, version, tenant_id)",
        "UNIQUE (model_name, version, tenant_id)",
    ),
    _sends(
        "unknown-function", "0046_staged_tickers.py", _BODY.format("planted_call()", "PERFORM drop_old_ones('users')")
    ),
    _sends(
        "unknown-table",
        "0046_staged_tickers.py",
        "CREATE TABLE planted_child (id int PRIMARY KEY, of int REFERENCES planted_nowhere (id))",
    ),
    _sends(
        "update-whole-table",
        "0018_row_security_preferences.py",
        "ALTER TABLE users ADD COLUMN p3 text; UPDATE users SET p3 = 'new' WHERE p3 IS NULL",
    ),
    _sends(
        "updated-at-never-updated",
        "0046_staged_tickers.py",
        "CREATE TABLE planted_dated (id int PRIMARY KEY, updated_at timestamptz DEFAULT now())",
    ),
    _sends(
        "used-before-made",
        "0005_user_probability_preferences.py",
        "CREATE TABLE planted_early (id int PRIMARY KEY, of uuid REFERENCES ml_models (model_id))",
    ),
    _sends(
        "validate-in-same-transaction",
        "0019_validate_probability_data.py",
        "ALTER TABLE users ADD CONSTRAINT p4 CHECK (email <> '') NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT p4",
    ),
    _sends(
        "volatile-default",
        "0019_validate_probability_data.py",
        "ALTER TABLE users ADD COLUMN p5 uuid DEFAULT gen_random_uuid()",
    ),
)
_C1, _C2, _C3 = "001_trading_decisions.sql", "002_probability_metrics.sql", "003_model_feedback.sql"


def _clickhouse(rule: str, file: str, old: str, new: str) -> Plant:
    return Plant(rule, f"clickhouse/{file}", old, new)


_SEVENTH = "007_skip_indexes.sql"


def _more(rule: str, sql: str) -> Plant:
    """A statement more at the end of a file."""
    return Plant(rule, f"clickhouse/{_SEVENTH}", "", f";\n{sql};\n")


_MV = "CREATE MATERIALIZED VIEW IF NOT EXISTS {} TO model_feedback_events AS SELECT id, symbol FROM trading_decisions_probabilistic"
CLICKHOUSE = (
    _clickhouse("id-not-in-key", _C1, "(tenant_id, symbol, timestamp, id)", "(tenant_id, symbol, timestamp)"),
    _clickhouse(
        "no-deduplication",
        _C3,
        "ENGINE = ReplacingMergeTree\nPARTITION BY toYYYYMM(timestamp)\nORDER BY (tenant_id, symbol, timestamp, feedback_id)\n"
        "SETTINGS non_replicated_deduplication_window = 100\n",
        "ENGINE = MergeTree\nPARTITION BY toYYYYMM(timestamp)\nORDER BY (tenant_id, symbol, timestamp, feedback_id)\n",
    ),
    _clickhouse(
        "partition-by-tenant", _C1, "PARTITION BY toYYYYMM(timestamp)", "PARTITION BY (user_id, toYYYYMM(timestamp))"
    ),
    _more(
        "array-join-in-view",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS p1 TO model_feedback_events AS SELECT arrayJoin(model_versions).1 AS m, countState() AS n FROM trading_decisions_probabilistic GROUP BY m",
    ),
    _more("clickhouse-syntax", "CREATE INDEX CONCURRENTLY p2 ON trading_decisions_probabilistic (symbol)"),
    _more(
        "drop-column-under-view", f"{_MV.format('p3')};\nALTER TABLE trading_decisions_probabilistic DROP COLUMN symbol"
    ),
    _clickhouse(
        "enum-default",
        _C1,
        "Enum8('UNKNOWN' = 0, 'BUY' = 1, 'SELL' = 2, 'HOLD' = 3)",
        "Enum8('BUY' = 1, 'SELL' = 2, 'HOLD' = 3)",
    ),
    _more("equals-empty-array", "SELECT count() FROM trading_decisions_probabilistic WHERE model_versions = []"),
    _more("is-null-never", "SELECT count() FROM trading_decisions_probabilistic WHERE ensemble_probability IS NULL"),
    _more("rename-of-view-table", f"{_MV.format('p4')};\nRENAME TABLE model_feedback_events TO p5"),
    _clickhouse("summing-ratio", _C2, "ENGINE = MergeTree\n", "ENGINE = SummingMergeTree\n"),
    _clickhouse("ttl-type", _C2, "TTL toDateTime(timestamp)", "TTL timestamp"),
    _more(
        "view-without-to",
        "CREATE MATERIALIZED VIEW IF NOT EXISTS p6 ENGINE = AggregatingMergeTree ORDER BY symbol AS SELECT symbol, countState() AS n FROM trading_decisions_probabilistic GROUP BY symbol",
    ),
)
_ROLLUP = "influx/0003_feature_rollup.yaml"
INFLUX = (
    Plant(
        "broken-rollup",
        "influx/0004_prediction_rollups.yaml",
        "from: {tier: minute_data, measurement: ",
        "from: {tier: minute_data, measurement: no_",
    ),
    Plant("count-star-in-expression", _ROLLUP, "sum(confidence) / count(confidence)", "sum(confidence) / count(*)"),
    Plant("count-of-tag", _ROLLUP, "samples: count(value)", "samples: count(model_id)"),
    Plant("late-points-lost", _ROLLUP, "      late: 10m\n", ""),
    Plant("no-default-policy", "influx/0002_retention_tiers.yaml", ", default: true}", "}"),
)
WEAVIATE = (
    Plant(
        "class-vectorizer",
        "weaviate/0002_uncertainty_embeddings.yaml",
        """      vectorConfig:
        uncertainty_vector:  # its size counts
          vectorizer: {none: {}}
          vectorIndexType: hnsw
          vectorIndexConfig: {distance: l2-squared}
""",
        "      vectorizer: none\n",
    ),
    Plant(
        "tenant-as-property",
        "weaviate/0001_probabilistic_patterns.yaml",
        "      multiTenancyConfig: {enabled: true, autoTenantCreation: false, autoTenantActivation: true}\n      invertedIndexConfig: {indexTimestamps: true, indexNullState: true}\n      properties:\n",
        "      invertedIndexConfig: {indexTimestamps: true, indexNullState: true}\n      properties:\n        - {name: tenant_id, dataType: [text]}\n",
    ),
    Plant(
        "vector-as-property",
        "weaviate/0002_uncertainty_embeddings.yaml",
        "      properties:\n",
        "      properties:\n        - {name: embedding, dataType: ['number[]']}\n",
    ),
)
ARANGO = (
    Plant(
        "edges-without-graph",
        "arango/0002_probability_dependencies.yaml",
        "up:\n",
        "up:\n  - create_collection: {name: planted_edges, type: 3}\n",
    ),
)
PLANTS = {"postgres": POSTGRES, "clickhouse": CLICKHOUSE, "influx": INFLUX, "weaviate": WEAVIATE, "arango": ARANGO}
_OPERATIONS = "the shipped files are documents of operations, which send no such command"
_REFUSED = "reading the document refuses it before lint does"
_LEDGER = "a ledger knows which statements of a revision are done"
NOT_PLANTED: dict[str, str] = {
    "half-rerunnable": _LEDGER,
    "create-again": _LEDGER,
    "string-type": _REFUSED,
    "hash-index": _REFUSED,
    "database-not-created": _REFUSED,
    "arangosh-syntax": _OPERATIONS,
    "command-arguments": _OPERATIONS,
    "key-of-two-types": _OPERATIONS,
    "key-without-ttl": _OPERATIONS,
    "keys-blocks-server": _OPERATIONS,
    "stream-without-maxlen": _OPERATIONS,
    "influxql-is-null": _OPERATIONS,
}
"""Rules whose defect the shipped form cannot have, and why; their own page's example is found in plain files."""
