"""Probability columns on trading decisions"""

from alembic import op

revision = "0009"
down_revision = "0008"
requires = ["clickhouse/001"]  # the figures are computed from the rows there, under the same id

COLUMNS = {
    "aggregated_confidence": "Confidence over all layers, 0-1; NULL: not computed; D2 §6.1",
    "uncertainty_score": "Uncertainty over all layers, 0-1; NULL: not computed; D2 §6.1",
    "probability_metadata": "Where the two figures come from, an object; NULL: not computed; D2 §6.1",
}


def upgrade() -> None:
    # Nullable and without default: the table is locked for an instant and no row is rewritten.
    op.execute(
        """
        ALTER TABLE trading_decisions
            ADD COLUMN aggregated_confidence  numeric(5,4),
            ADD COLUMN uncertainty_score      numeric(5,4),
            ADD COLUMN probability_metadata   jsonb
        """
    )
    for column, meaning in COLUMNS.items():
        op.execute(f"COMMENT ON COLUMN trading_decisions.{column} IS '{meaning}'")


def downgrade() -> None:
    op.execute(
        """
        ALTER TABLE trading_decisions
            DROP COLUMN probability_metadata,
            DROP COLUMN uncertainty_score,
            DROP COLUMN aggregated_confidence
        """
    )
