"""Numbers of models and datasets are kept as they were sent"""

from alembic import op

revision = "0051"
down_revision = "0050"

# A numeric(p,s) rounds before any check sees the value: 1.00004 came in as 1.0000. Without digits to round to, the
# check sees what was sent, and what has more digits than the type had is kept. No row is written, or read, for it:
# checks are proved by a revision behind these.
# table → type until now → columns
COLUMNS = {
    "ml_datasets": {
        "numeric(5,4)": "data_quality_score",
        "numeric(5,2)": "missing_data_percentage",
    },
    "ml_feature_dependencies": {
        "numeric(5,4)": "weight",
    },
    "ml_model_deployments": {
        "numeric(5,2)": "traffic_percentage",
    },
    "ml_model_metrics": {
        "numeric(24,8)": "metric_std metric_value",
    },
    "ml_models": {
        "numeric(16,6)[]": "cross_validation_scores",
        "numeric(10,2)": "model_size_mb",
        "numeric(16,6)": "test_score validation_score",
    },
}

# Without digits a number may be infinite or of any size; these have no check that bounds them on both sides. NaN is
# greater than every number, so that it is refused too.
BOUNDS = {
    "ml_feature_dependencies": "weight",
    "ml_model_metrics": "metric_std metric_value",
    "ml_models": "model_size_mb test_score validation_score",
}

# It asks for a column in WHERE, so that a change of its type would build it anew while writers wait. A revision behind
# this one makes it again, beside writers.
INDEXES = {
    "idx_model_performance": (
        "ml_models (validation_score DESC NULLS LAST) WHERE status IN ('validated', 'deployed', 'production')"
    ),
}

# A value that the old type would round, or cannot hold, is not thrown away by going back.
FITS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM {table} WHERE {column} <> {column}::{type}) THEN
        RAISE EXCEPTION '{column} of {table} has values with more digits than {type} keeps'
            USING ERRCODE = 'numeric_value_out_of_range', HINT = 'round them first, or stay at this revision';
    END IF;
END $$
"""

# PostgreSQL writes what it has read in its own form differently; these are as they were made.
AS_BEFORE = [
    "DROP TRIGGER chk_environment_traffic ON ml_model_deployments",
    (
        "CREATE CONSTRAINT TRIGGER chk_environment_traffic AFTER INSERT OR UPDATE OF model_id, environment, "
        "traffic_percentage, is_active ON ml_model_deployments DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN "
        "(NEW.is_active AND NEW.environment NOT IN ('shadow', 'development')) EXECUTE FUNCTION "
        "check_environment_traffic()"
    ),
]


def change(types: dict[str, dict[str, str]], more: dict[str, list[str]]) -> None:
    """Change the types (table → column → type), and what `more` says of a table; what stands on them is as before."""
    tables = ", ".join(f"'{table}'" for table in types)
    columns = ", ".join(sorted({f"'{column}'" for columns in types.values() for column in columns}))
    op.execute(f"SELECT take_down(ARRAY[{tables}]::regclass[], ARRAY[{columns}])")
    for table, wanted in types.items():
        parts = [f"ALTER COLUMN {column} TYPE {type}" for column, type in wanted.items()]
        op.execute(f"ALTER TABLE {table} " + ", ".join(parts + more.get(table, [])))
    op.execute("SELECT put_back()")


def upgrade() -> None:
    types = {
        table: {column: "numeric[]" if "[]" in old else "numeric" for old in olds for column in olds[old].split()}
        for table, olds in COLUMNS.items()
    }
    more = {}
    for table, columns in BOUNDS.items():
        named = ", ".join(columns.split())
        bounds = f"greatest({named}) < 1e30 AND least({named}) > -1e30"
        if table == "ml_models":
            bounds += " AND 1e30 > ALL (cross_validation_scores) AND -1e30 < ALL (cross_validation_scores)"
        more[table] = [f"ADD CONSTRAINT chk_within_bounds CHECK ({bounds}) NOT VALID"]
    # lint: allow drop-index-not-concurrent: the change of types, in this transaction, takes the same lock
    op.execute("DROP INDEX " + ", ".join(INDEXES))
    change(types, more)


def downgrade() -> None:
    types = {table: {column: old for old in olds for column in olds[old].split()} for table, olds in COLUMNS.items()}
    for table, columns in types.items():
        for column, type in columns.items():
            op.execute(FITS.replace("{table}", table).replace("{column}", column).replace("{type}", type))
    change(types, {table: ["DROP CONSTRAINT chk_within_bounds"] for table in BOUNDS})
    for table, columns in types.items():
        op.execute(f"SELECT prove_checks('{{{table}}}', '{{{','.join(columns)}}}')")
    for index, made_of in INDEXES.items():
        op.execute(f"CREATE INDEX {index} ON {made_of}")
    for statement in AS_BEFORE:
        op.execute(statement)
