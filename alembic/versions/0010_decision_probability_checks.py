"""Checks on the probabilities of trading decisions, for new rows"""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    # NOT VALID: rows that exist are not read under the strong lock. The next revision reads them under a weak one.
    op.execute(
        """
        ALTER TABLE trading_decisions
            ADD CONSTRAINT chk_aggregated_confidence CHECK (aggregated_confidence BETWEEN 0 AND 1) NOT VALID,
            ADD CONSTRAINT chk_uncertainty_score CHECK (uncertainty_score BETWEEN 0 AND 1) NOT VALID,
            ADD CONSTRAINT chk_probability_metadata CHECK (jsonb_typeof(probability_metadata) = 'object') NOT VALID
        """
    )


def downgrade() -> None:
    op.execute(
        """
        ALTER TABLE trading_decisions
            DROP CONSTRAINT chk_probability_metadata,
            DROP CONSTRAINT chk_uncertainty_score,
            DROP CONSTRAINT chk_aggregated_confidence
        """
    )
