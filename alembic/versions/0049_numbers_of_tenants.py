"""Numbers of tenants are kept as they were sent"""

from alembic import op

revision = "0049"
down_revision = "0048"

# A numeric(p,s) rounds before any check sees the value: 1.00004 came in as 1.0000. Without digits to round to, the
# check sees what was sent, and what has more digits than the type had is kept. No row is written, or read, for it:
# checks are proved by a revision behind these.
# table → type until now → columns
COLUMNS = {
    "model_training_history": {
        "numeric(5,4)": "final_accuracy final_calibration_score previous_model_accuracy",
        "numeric(6,5)": "final_brier_score",
        "numeric(8,2)": "improvement_percentage",
    },
    "probabilistic_models": {
        "numeric(5,4)": "accuracy calibration_score",
        "numeric(6,5)": "brier_score",
        "numeric(10,4)": "sharpe_ratio",
    },
    "trading_decisions": {
        "numeric(5,4)": "aggregated_confidence uncertainty_score",
        "numeric(24,8)": "position_size",
    },
    "user_probability_preferences": {
        "numeric(5,4)": (
            "adaptation_sensitivity confidence_alert_threshold confidence_threshold memory_decay_factor "
            "risk_tolerance uncertainty_tolerance uncertainty_warning_threshold"
        ),
        "numeric(10,8)": "learning_rate",
    },
}

# Without digits a number may be infinite or of any size; these have no check that bounds them on both sides. NaN is
# greater than every number, so that it is refused too.
BOUNDS = {
    "probabilistic_models": "sharpe_ratio",
    "trading_decisions": "position_size",
}

# These ask for a column in WHERE, so that a change of its type would build them anew while writers wait. Revisions
# behind this one make them again, beside writers.
INDEXES = {
    "idx_trading_decisions_symbol_confidence": (
        "trading_decisions (tenant_id, symbol, aggregated_confidence DESC) WHERE aggregated_confidence >= 0.7"
    ),
    "idx_probabilistic_models_performance": (
        "probabilistic_models (accuracy DESC NULLS LAST, calibration_score DESC NULLS LAST) WHERE status = 'active'"
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
