"""Checks on the probabilities of trading decisions, proved for old rows"""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    # One statement reads the table once for all three; reads and writes go on beside it.
    op.execute(
        """
        ALTER TABLE trading_decisions
            VALIDATE CONSTRAINT chk_aggregated_confidence,
            VALIDATE CONSTRAINT chk_uncertainty_score,
            VALIDATE CONSTRAINT chk_probability_metadata
        """
    )


def downgrade() -> None:
    # A constraint cannot be marked unproved again: it is replaced, and no moment passes without it.
    op.execute(
        """
        ALTER TABLE trading_decisions
            DROP CONSTRAINT chk_aggregated_confidence,
            DROP CONSTRAINT chk_uncertainty_score,
            DROP CONSTRAINT chk_probability_metadata,
            ADD CONSTRAINT chk_aggregated_confidence CHECK (aggregated_confidence BETWEEN 0 AND 1) NOT VALID,
            ADD CONSTRAINT chk_uncertainty_score CHECK (uncertainty_score BETWEEN 0 AND 1) NOT VALID,
            ADD CONSTRAINT chk_probability_metadata CHECK (jsonb_typeof(probability_metadata) = 'object') NOT VALID
        """
    )
