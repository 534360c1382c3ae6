"""Indexes of windows of predictions and features, again"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import text

revision = "0059"
down_revision = "0058"

# lint: allow-file missing-down: these indexes go with those of the whole tables

# Dropped where the types of their columns were changed, which would have built them while writers wait. PostgreSQL
# builds no index of a whole partitioned table beside writers; the next revision takes these of the windows for its own.
INDEXES = {
    "ml_predictions": {
        "performance": (
            "(ticker, prediction_timestamp DESC) INCLUDE (predicted_value, actual_value, confidence_score) WHERE "
            "actual_value IS NOT NULL"
        ),
        "high_confidence": "(confidence_score DESC, prediction_timestamp DESC) WHERE confidence_score >= 0.8",
        "large_errors": (
            "(absolute_error DESC, prediction_timestamp DESC) WHERE actual_value IS NOT NULL AND absolute_error > 0.05"
        ),
        "implied_return": (
            "(((predicted_value - current_price) / nullif(current_price, 0))) WHERE actual_value IS NOT NULL"
        ),
    },
    "ml_feature_store": {
        "covering": (
            "(ticker, timestamp DESC, feature_id) INCLUDE (value, confidence_score, data_quality_score, "
            "source_provider) WHERE validation_status = 'valid'"
        ),
        "high_quality": (
            "(ticker, feature_id, timestamp DESC) WHERE data_quality_score >= 0.9 AND confidence_score >= 0.8"
        ),
    },
    "ml_enhancement_store": {
        "quality": "(data_quality_score) WHERE data_quality_score < 0.8",
        "covering": (
            "(ticker, timestamp DESC) INCLUDE (enhancement_id, enhancement_value, enhanced_composite_value, "
            "confidence_score)"
        ),
    },
}

# Those that hold rows, the oldest first: one that gets its first row while this runs is behind those that were done.
WINDOWS = """
SELECT inhrelid::regclass::text FROM pg_inherits
WHERE inhparent = '{table}'::regclass AND pg_relation_size(inhrelid) > 0 ORDER BY 1
"""


def windows(table: str) -> Sequence[str]:
    """The windows of a table; none where a script is written, which asks no database."""
    if op.get_context().as_sql:
        return ()
    return op.get_bind().scalars(text(WINDOWS.replace("{table}", table))).all()


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for window, name, made_of in [
            (window, f"{window.rpartition('.')[2]}_{index}", made_of)
            for table, indexes in INDEXES.items()
            for window in windows(table)
            for index, made_of in indexes.items()
        ]:
            op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {window} {made_of}")


def downgrade() -> None:
    """Nothing: they are gone with the indexes of the whole tables."""
