"""Numbers of enhancements are kept as they were sent"""

from alembic import op

revision = "0052"
down_revision = "0051"

TABLE = "ml_enhancement_store"
# A numeric(p,s) rounds before any check sees the value: 1.00004 came in as 1.0000. Without digits to round to, the
# check sees what was sent, and what has more digits than the type had is kept. No row is written, or read, for it:
# checks are proved by a revision behind these. One table a revision, so that the locks of each are held shortly.
# type until now → columns
COLUMNS = {
    "numeric(20,8)": "base_vfr_value enhanced_composite_value enhancement_value",
    "numeric(5,4)": "confidence_score data_quality_score enhancement_weight",
}

# Without digits a number may be infinite or of any size; these have no check that bounds them on both sides. NaN is
# greater than every number, so that it is refused too.
BOUNDS = "base_vfr_value enhanced_composite_value enhancement_value"

# These name a column of another type in WHERE, INCLUDE or an expression, so that a change of types would build them
# anew while writers wait. Revisions behind this one make them again, beside writers.
INDEXES = {
    "idx_quality_score": "ml_enhancement_store (data_quality_score) WHERE data_quality_score < 0.8",
    "idx_ticker_time_covering": (
        "ml_enhancement_store (ticker, timestamp DESC) INCLUDE (enhancement_id, enhancement_value, "
        "enhanced_composite_value, confidence_score)"
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

# PostgreSQL writes what it has read in its own form differently; as they were made.
AS_BEFORE = [
    (
        "ALTER TABLE ml_enhancement_store DROP CONSTRAINT chk_no_nan, ADD CONSTRAINT chk_no_nan CHECK ('NaN' "
        "NOT IN (enhancement_value, base_vfr_value, enhanced_composite_value))"
    )
]


def change(types: dict[str, str], more: list[str], later: str = "'{}'") -> None:
    """Change the types (column → type), and what `more` says; what stands on the columns is as before."""
    columns = ", ".join(f"'{column}'" for column in sorted(types))
    op.execute(f"SELECT take_down(ARRAY['{TABLE}']::regclass[], ARRAY[{columns}], {later})")
    parts = [f"ALTER COLUMN {column} TYPE {type}" for column, type in types.items()]
    op.execute(f"ALTER TABLE {TABLE} " + ", ".join(parts + more))
    op.execute("SELECT put_back()")


def upgrade() -> None:
    types = {column: "numeric" for columns in COLUMNS.values() for column in columns.split()}
    named = ", ".join(BOUNDS.split())
    bounds = f"greatest({named}) < 1e30 AND least({named}) > -1e30"
    more = [f"ADD CONSTRAINT chk_within_bounds CHECK ({bounds}) NOT VALID"]
    # lint: allow drop-index-not-concurrent: the change of types, in this transaction, takes the same lock
    op.execute("DROP INDEX " + ", ".join(INDEXES))
    change(types, more, "ARRAY['mv_daily_features', 'mv_feature_vectors', 'mv_model_performance']")


def downgrade() -> None:
    types = {column: old for old, columns in COLUMNS.items() for column in columns.split()}
    for column, type in types.items():
        op.execute(FITS.replace("{table}", TABLE).replace("{column}", column).replace("{type}", type))
    change(types, ["DROP CONSTRAINT chk_within_bounds"])
    op.execute(f"SELECT prove_checks('{{{TABLE}}}', '{{{','.join(types)}}}')")
    for index, made_of in INDEXES.items():
        op.execute(f"CREATE INDEX {index} ON {made_of}")
    for statement in AS_BEFORE:
        op.execute(statement)
